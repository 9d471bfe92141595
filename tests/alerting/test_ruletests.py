import pytest

from monitorlab.alerting import rule_test_cases, run_rule_tests
from monitorlab.errors import RuleError

RULES = """
groups:
- name: first
  interval: 5m
  rules:
  - record: job:up:min
    expr: min by (job) (up)
  - alert: Down
    expr: job:up:min == 0
    for: 2m
    keep_firing_for: 1m
    labels: {severity: page, cluster: "{{ $externalLabels.cluster }}"}
    annotations: {summary: "{{ $labels.job }} is {{ $value }}"}
"""
TEST = """
rule_files: ["*.rules.yml"]
evaluation_interval: 1m
tests:
- name: it goes down
  interval: 1m
  external_labels: {cluster: eu}
  input_series:
  - {series: 'up{job="a", instance="1"}', values: '1 1 0x5 1x10'}
  - {series: 'up{job="b"}', values: '1x20'}
  alert_rule_test:
  - {eval_time: 3m, alertname: Down, exp_alerts: []}
  - eval_time: 4m30s
    alertname: Down
    exp_alerts:
    - exp_labels: {job: a, severity: page, cluster: eu}
      exp_annotations: {summary: "a is 0"}
  - eval_time: 8m
    alertname: Down
    exp_alerts:
    - {exp_labels: {job: a, severity: page, cluster: eu}, exp_annotations: {summary: "a is 0"}}
  - {eval_time: 9m, alertname: Down, exp_alerts: []}
  promql_expr_test:
  - expr: job:up:min
    eval_time: 4m
    exp_samples:
    - {labels: 'job:up:min{job="a"}', value: 0}
    - {labels: 'job:up:min{job="b"}', value: 1}
  - expr: count(ALERTS{alertstate="pending"})
    eval_time: 3m
    exp_samples: [{labels: '{}', value: 1}]
  - expr: ALERTS_FOR_STATE
    eval_time: 5m
    exp_samples: [{labels: 'ALERTS_FOR_STATE{alertname="Down", cluster="eu", job="a", severity="page"}', value: 120}]
  - {expr: time(), eval_time: 1m, exp_samples: [{value: 6e1}]}
"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "a.rules.yml").write_text(RULES)
    (tmp_path / "test.yml").write_text(TEST)
    return tmp_path


def test_a_file_of_promtool_runs_as_it_is(files):
    report = run_rule_tests(files / "test.yml")
    assert report.passed, "\n".join(report.cases["why"])
    assert len(report.cases) == 8
    assert "passed 8 of 8" in repr(report)
    assert len(report.plot().data) == 2


def test_one_case_each(files):
    cases = rule_test_cases(files / "test.yml")
    assert str(cases[1]) == "it goes down: Down at 4m30s"
    for case in cases:
        case.check()


def test_failures_say_expected_and_got(files):
    text = TEST.replace('"a is 0"', '"a is 1"').replace("value: 6e1", "value: 61")
    (files / "test.yml").write_text(
        text.replace(
            "{eval_time: 9m, alertname: Down, exp_alerts: []}",
            "{eval_time: 9m, alertname: Down, exp_alerts: [{exp_labels: {job: a}}]}",
        )
    )
    report = run_rule_tests(files / "test.yml")
    assert report.cases["passed"].tolist() == [True, False, False, False, True, True, True, False]
    assert "expected" in report.cases["why"][1]
    assert "'a is 0'" in report.cases["why"][1]
    with pytest.raises(AssertionError, match="got nothing"):
        rule_test_cases(files / "test.yml")[3].check()


def test_errors_of_evaluation_fail_the_case(files):
    broken = RULES.replace("expr: job:up:min == 0", "expr: up == 0").replace(
        "severity: page", "job: x, instance: ''"
    )
    (files / "a.rules.yml").write_text(broken)
    series = TEST.replace("'1x20'", "'0x20'")
    (files / "test.yml").write_text(series)
    report = run_rule_tests(files / "test.yml")
    assert not report.passed
    assert report.cases["why"].str.contains("cannot be evaluated").any()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("evaluation_interval: 1m", "evaluation_interval: often"), "line 3: evaluation_interval"),
        (('["*.rules.yml"]', '["none.yml"]'), "no file is called 'none.yml'"),
        (("alertname: Down, exp_alerts: []", "alertnam: Down"), "did you mean 'alertname'"),
        (("'1x20'", "'1y20'"), "line 10: input_series"),
        (("expr: time()", "expr: tme()"), "did you mean"),
        (("value: 6e1", "value: many"), "exp_samples"),
        (("tests:", "tests: 7\nother:"), "tests must be a list"),
        (("- name: it goes down", "- 7\n- name: it goes down"), "must be a mapping"),
    ],
)
def test_bad_files(files, change, words):
    (files / "test.yml").write_text(TEST.replace(*change))
    with pytest.raises(RuleError, match=words.replace("(", r"\(")):
        rule_test_cases(files / "test.yml")


def test_bad_rules_are_told_with_their_own_place(files):
    (files / "a.rules.yml").write_text(RULES.replace("== 0", "=="))
    with pytest.raises(RuleError, match=r"a\.rules\.yml, line 9, group 'first', rule 'Down'"):
        run_rule_tests(files / "test.yml")


def test_missing_files(tmp_path):
    with pytest.raises(RuleError, match="cannot be read"):
        run_rule_tests(tmp_path / "none.yml")
    (tmp_path / "list.yml").write_text("[]")
    with pytest.raises(RuleError, match="mapping"):
        run_rule_tests(tmp_path / "list.yml")
