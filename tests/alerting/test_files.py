import pytest
import yaml

from monitorlab.alerting import AlertRule, RecordingRule, RuleGroup, RuleSet, load_rules, save_rules
from monitorlab.alerting.files import dump_rules, parse_rules
from monitorlab.errors import RuleError
from monitorlab.model import Severity

PLAIN = """
groups:
  - name: node
    interval: 30s
    limit: 10
    rules:
      - record: job:up:avg
        expr: avg by (job) (up)
        labels: {team: a}
      - alert: Down
        expr: |
          job:up:avg < 0.5
        for: 5m
        keep_firing_for: 1m
        labels:
          severity: page
        annotations:
          summary: "{{ $labels.job }} is down ({{ $value | humanizePercentage }})"
"""


def test_a_prometheus_file_behaves_as_in_prometheus(tmp_path):
    path = tmp_path / "rules.yml"
    path.write_text(PLAIN)
    rules = load_rules(path)
    assert rules.groups[0].interval == "30s"
    assert rules.recordings[0].labels == {"team": "a"}
    rule = rules["Down"]
    assert rule.expr == "job:up:avg < 0.5"
    assert (rule.for_, rule.keep_firing_for) == ("5m", "1m")
    assert rule.severity is Severity.CRITICAL
    assert rule.labels == {"severity": "page"}
    assert rule.policy.cooldown_ns == 0
    assert rule.policy.escalations == ()
    assert rule.is_plain


EXTRAS = [
    AlertRule("Plain", "up == 0", severity=None, cooldown="0s", escalate_after=None),
    AlertRule("Defaults", "up == 0"),
    AlertRule(
        "All", metric='m{a="b"}', condition="value > threshold", threshold=3.5, for_="5m",
        keep_firing_for="1m", severity="error", labels={"team": "shop", "severity": "sev2", "e": ""},
        annotations={"summary": "{{ $value }}", "empty": ""}, cooldown="1h", escalate_after=None,
        auto_resolve=False, resolve_expr="value < 2", no_data="alert", m_of_n=(3, 5), window="10m",
        escalate=[("1h", "error"), ("2h", "critical")],
    ),
    AlertRule("Hysteresis", "up == 0", resolve_expr="up == 1", no_data="keep", severity="info"),
]  # fmt: skip


@pytest.mark.parametrize("extras", ["annotations", "key"])
def test_what_is_saved_is_loaded(tmp_path, extras):
    rules = RuleSet(
        [
            RuleGroup("one", EXTRAS[:2], "15s"),
            RuleGroup("two", [RecordingRule("a:b", "sum(x)"), *EXTRAS[2:]]),
        ]
    )
    path = save_rules(rules, tmp_path / "rules.yml", extras=extras)
    assert load_rules(path) == rules
    assert (
        save_rules(load_rules(path), tmp_path / "again.yml", extras=extras).read_text()
        == path.read_text()
    )


def test_saved_files_have_only_what_prometheus_knows():
    allowed = {"alert", "record", "expr", "for", "keep_firing_for", "labels", "annotations"}
    for extras in ("annotations", "drop"):
        for group in yaml.safe_load(dump_rules(EXTRAS, extras=extras))["groups"]:
            assert set(group) <= {"name", "interval", "rules"}
            for rule in group["rules"]:
                assert set(rule) <= allowed
    assert "monitorlab_" not in dump_rules(EXTRAS, extras="drop")


def test_an_expression_edited_by_hand_wins_over_the_short_condition():
    text = dump_rules(AlertRule("A", metric="m", condition="value > 3")).replace("m > 3", "m > 4")
    rule = parse_rules(text)["A"]
    assert (rule.expr, rule.condition) == ("m > 4", None)


def test_short_conditions_in_files():
    rule = parse_rules(
        "groups: [{name: g, rules: [{alert: A, metric: latency_ms, condition: p95_5m > threshold,"
        " threshold: 200, for: 10m}]}]"
    )["A"]
    assert rule.expr == "quantile_over_time(0.95, latency_ms[5m]) > 200"


def test_the_extra_key():
    rule = parse_rules(
        "groups: [{name: g, rules: [{alert: A, expr: x > 1, x-monitorlab: {severity: error, resolve: "
        "x < 0.5, no_data: keep, m_of_n: [3, 5], cooldown: 10m, escalate: [{after: 30m, severity: "
        "critical}], auto_resolve: false}}]}]"
    )["A"]
    assert rule.severity is Severity.ERROR
    assert rule.resolve_expr == "x < 0.5"
    assert (rule.no_data, rule.m_of_n, rule.cooldown, rule.auto_resolve) == (
        "keep",
        (3, 5),
        "10m",
        False,
    )
    assert rule.escalate == (("30m", Severity.CRITICAL),)


BAD = """groups:
- name: a
  colour: red
  rules:
  - alert: One
    expr: up ==
  - alert: Two
    expr: up
    for: soon
  - record: bad name
    expr: up
  - record: x
    expr: up
    for: 5m
  - expr: up
  - alert: Same
    expr: up
  - alert: Same
    expr: down
  - alert: Labels
    expr: up
    labels: {"1a": b}
    annotations: {summary: "{{ $value", other: "{{ nope }}"}
  - alert: Extra
    expr: up
    x-monitorlab: {cooldwn: 5m, auto_resolve: maybe}
- name: a
  rules: 7
- rules: []
"""


def test_every_problem_is_listed_with_its_place():
    with pytest.raises(RuleError) as caught:
        parse_rules(BAD, "bad.yml")
    problems = "\n".join(caught.value.problems)
    for line, words in [
        (3, "no field 'colour'"),
        (6, "rule 'One'"),
        (7, "for: 'soon' is not a duration"),
        (10, "metric name"),
        (14, "has no field 'for'"),
        (15, "either 'alert' or 'record'"),
        (18, "same name and labels stands in line 16"),
        (20, "'1a' is not a label name"),
        (23, "is not closed"),
        (23, 'unknown function "nope"'),
        (26, "no field 'cooldwn'; did you mean 'cooldown'"),
        (26, "auto_resolve must be true or false"),
        (27, "another group of this name"),
        (28, "'rules' must be a list"),
        (29, "the group's name is missing"),
    ]:
        found = [p for p in caught.value.problems if f"bad.yml, line {line}" in p and words in p]
        assert found, f"{line} {words}\n{problems}"


@pytest.mark.parametrize(
    "text",
    [
        "groups: 7",
        "[]",
        "a: 1",
        "groups: [7]",
        "groups: [{name: g, rules: [7]}]",
        "groups: [{name: g, rules: [{alert: A}]}]",
        "groups: [{name: g, rules: [{alert: [], expr: up}]}]",
        "groups: [{name: g, interval: x, rules: []}]",
        "groups: [{name: g, name: h, rules: []}]",
        "groups: {",
        "\t",
        "[" * 5_000,
        "!!python/object/apply:os.system ['true']",
        "? [a]\n: b",
        "a: &a [*a]",
        "groups: [{name: g, rules: [{alert: A, expr: 'x{a=~\"(\"}'}]}]",
        "groups: [{name: g, rules: [{alert: A, expr: x, labels: [a]}]}]",
        "groups: [{name: g, rules: [{alert: A, expr: x, labels: {a: {b: c}}}]}]",
        "groups: [{name: g, rules: [{alert: A, expr: x, x-monitorlab: 7}]}]",
        "groups: [{name: g, rules: [{alert: A, expr: x, x-monitorlab: {escalate: 7}}]}]",
        "groups: [{name: g, rules: [{alert: A, expr: x, x-monitorlab: {m_of_n: 7}}]}]",
        "groups: [{name: g, rules: [{alert: A, expr: x, annotations: {monitorlab_m_of_n: '['}}]}]",
    ],
)
def test_bad_files_are_rule_errors(text):
    with pytest.raises(RuleError):
        parse_rules(text, "bad.yml")


def test_a_file_that_repeats_itself_without_end_is_refused():
    bomb = "a: &a [x, x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)
    )
    with pytest.raises(RuleError, match="repeats itself"):
        parse_rules(bomb)


def test_empty_files_have_no_rules():
    assert len(parse_rules("")) == 0
    assert len(parse_rules("groups:\n")) == 0


def test_a_missing_file_is_a_rule_error(tmp_path):
    with pytest.raises(RuleError, match="cannot be read"):
        load_rules(tmp_path / "none.yml")
    (tmp_path / "binary.yml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RuleError):
        load_rules(tmp_path / "binary.yml")


def test_a_file_that_contains_itself_is_refused():
    with pytest.raises(RuleError, match="nested too deeply"):
        parse_rules("a: &a [*a]\n")
