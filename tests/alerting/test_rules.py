import pickle

import pytest

from monitorlab.alerting import AlertRule, RecordingRule, RuleGroup, RuleSet, as_rules, make_rule
from monitorlab.errors import MonitorlabError, QueryError, RuleError, UnknownNameError
from monitorlab.model import Severity


def test_defaults():
    rule = AlertRule("A", "up == 0")
    assert (rule.for_, rule.keep_firing_for, rule.cooldown, rule.escalate_after) == (
        "0s", "0s", "5m", "30m",
    )  # fmt: skip
    assert rule.auto_resolve is True
    assert rule.resolve_expr is None
    assert rule.severity is Severity.CRITICAL
    assert rule.labels == {"severity": "critical"}


def test_rules_are_values():
    rule = AlertRule("A", "up == 0", for_="90s", labels={"team": "shop"}, annotations={"s": "x"})
    assert rule == AlertRule(
        "A", "up == 0", for_=90, labels={"team": "shop"}, annotations={"s": "x"}
    )
    assert hash(rule) == hash(pickle.loads(pickle.dumps(rule)))
    assert rule.for_ == "1m30s"
    with pytest.raises(AttributeError):
        rule.expr = "up"
    assert repr(rule) == "AlertRule('A', 'up == 0', for_='1m30s', severity=critical)"
    assert rule.to_dict()["labels"] == {"team": "shop", "severity": "critical"}


@pytest.mark.parametrize(
    ("labels", "severity", "level", "label"),
    [
        (None, "error", Severity.ERROR, "error"),
        ({"severity": "page"}, None, Severity.CRITICAL, "page"),
        ({"severity": "info"}, "critical", Severity.INFO, "info"),
        ({"severity": "sev2"}, "error", Severity.ERROR, "sev2"),
        (None, None, Severity.WARNING, None),
    ],
)
def test_severity_and_its_label(labels, severity, level, label):
    rule = AlertRule("A", "up", severity=severity, labels=labels)
    assert rule.severity is level
    assert rule.labels.get("severity") == label
    assert rule.with_(for_="1m").labels == rule.labels


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"expr": ""}, "expression must be a text"),
        ({"expr": None}, "expression must be a text"),
        ({"expr": "up", "for_": "soon"}, "for: 'soon' is not a duration"),
        ({"expr": "up", "severity": "loud"}, "unknown severity"),
        ({"expr": "up", "no_data": "panic"}, "no_data must be one of ok, alert, keep"),
        ({"expr": "up", "m_of_n": (4, 3)}, "m_of_n"),
        ({"expr": "up", "m_of_n": (1, 10**9)}, "m_of_n"),
        ({"expr": "up", "threshold": "high"}, "threshold must be a number"),
        ({"expr": "up", "threshold": float("nan")}, "NaN"),
        ({"expr": "up", "labels": {"a b": "c"}}, "not a label name"),
        ({"expr": "up", "labels": {"alertname": "c"}}, "alertname"),
        ({"expr": "up", "labels": ["a"]}, "must be a mapping"),
        ({"expr": "up", "condition": "value > 1"}, "not both"),
        ({"condition": "value > 1"}, "needs the metric"),
        ({"expr": "up", "auto_resolve": "no"}, "auto_resolve must be True or False"),
        ({"expr": "up", "escalate": [("1h", "error"), ("5m", "critical")]}, "rising order"),
        ({"expr": "up", "escalate": ["1h"]}, "escalate"),
        (
            {"expr": "up", "no_data": "alert", "labels": {"v": "{{ $value }}"}},
            "leave the value out",
        ),
        ({"expr": "value > 1", "metric": "a b"}, "neither a metric name nor a selector"),
        ({"expr": "value > 1", "metric": 7}, "metric"),
    ],
)
def test_wrong_rules_say_why(options, words):
    with pytest.raises(RuleError, match=words) as caught:
        AlertRule("Broken", **options)
    assert "Broken" in str(caught.value) or "severity" in str(caught.value)


@pytest.mark.parametrize("name", ["", "  ", None, 3])
def test_a_rule_needs_a_name(name):
    with pytest.raises(RuleError, match="name"):
        AlertRule(name, "up")


@pytest.mark.parametrize("text", ["up >", "rate(up)", "up[5m]", '"text"', "up > > 1", "(" * 5_000])
def test_wrong_expressions_are_query_errors(text):
    with pytest.raises(QueryError):
        AlertRule("A", text)


def test_make_rule_takes_conditions_and_promql():
    assert make_rule("A", "up == 0").expr == "up == 0"
    assert make_rule("A", "value > 100", "latency_ms").expr == "latency_ms > 100"
    assert make_rule("A", "> threshold", "x", threshold=2).expr == "x > 2"
    with pytest.raises(RuleError, match="did you mean 'for_'"):
        make_rule("A", "up == 0", fo_="5m")


def test_with_changes_what_it_is_told():
    rule = AlertRule("A", metric="m", condition="value > threshold", threshold=3)
    assert rule.with_(threshold=5).expr == "m > 5"
    assert rule.with_(metric="n").expr == "n > 3"
    assert rule.with_(expr="up == 0").metric is None
    assert rule.with_(severity="info").labels["severity"] == "info"
    assert AlertRule("A", "rate(x[5m]) > 3 and up").with_(threshold=5).expr == (
        "rate(x[5m]) > 5 and up"
    )
    with pytest.raises(RuleError, match="did you mean"):
        rule.with_(thresold=5)
    with pytest.raises(RuleError, match="no threshold to change"):
        AlertRule("A", "up").with_(threshold=5)


def test_escalation_raises_one_level_or_follows_its_steps():
    assert AlertRule("A", "up", severity="warning").policy.escalations == (
        (30 * 60 * 10**9, Severity.ERROR),
    )
    rule = AlertRule("A", "up", escalate=[("1h", "error"), {"after": "2h", "severity": "critical"}])
    assert [level.value for _, level in rule.policy.escalations] == ["error", "critical"]
    assert AlertRule("A", "up", escalate_after=None).policy.escalations == ()


def test_recording_rules_are_checked():
    assert RecordingRule("a:b", "sum(x)", {"l": "v"}).to_dict()["labels"] == {"l": "v"}
    with pytest.raises(RuleError, match="metric name"):
        RecordingRule("a b", "sum(x)")
    with pytest.raises(QueryError):
        RecordingRule("a:b", "sum(")


def test_sets_of_rules():
    one, two = AlertRule("A", "up == 0"), AlertRule("B", "x > 1")
    rules = RuleSet([RuleGroup("g", [one], "30s")]).with_rule(two)
    assert rules.names == ("A", "B")
    assert rules["B"] is two
    assert rules[0] is one
    assert "A" in rules
    assert "Z" not in rules
    assert rules.without("A").names == ("B",)
    assert rules.replaced(one.with_(for_="1m"))["A"].for_ == "1m"
    assert as_rules([one, two]).names == ("A", "B")
    assert "alert" in str(rules)
    assert "<table>" in rules._repr_html_()
    assert rules.to_dict()["groups"][0]["interval"] == "30s"
    with pytest.raises(UnknownNameError, match="there is no rule 'C'"):
        rules["C"]


def test_duplicate_names_are_refused_unless_labels_tell_them_apart():
    one = AlertRule("A", "up == 0")
    with pytest.raises(RuleError, match="two alert rules 'A'"):
        as_rules([one, AlertRule("A", "x > 1")])
    assert len(as_rules([one, AlertRule("A", "x > 1", severity="info")])) == 2


@pytest.mark.parametrize("rules", [None, 7, [7], object()])
def test_what_is_no_rule_is_refused(rules):
    with pytest.raises(RuleError):
        as_rules(rules)


def test_intervals_are_checked():
    for wrong in ("soon", "0s", -1):
        with pytest.raises(RuleError, match="interval"):
            RuleGroup("g", [], wrong)


def test_everything_raised_is_ours():
    for make in (lambda: AlertRule("A", "x{a=~'('}"), lambda: AlertRule("A", "x > 1", metric="{")):
        with pytest.raises(MonitorlabError):
            make()
