"""Alert rules over live and recorded data: evaluate, backtest, score, tune, test, tell.

>>> from monitorlab.alerting import AlertRule
>>> AlertRule("Slow", "p95_5m > 200", metric="latency_ms", for_="10m").for_
'10m'
"""

from monitorlab.alerting.backtest import Backtest, backtest
from monitorlab.alerting.compare import Comparison
from monitorlab.alerting.engine import LiveEngine, RuleEvaluator
from monitorlab.alerting.events import Alert, Event, PersonAction, Silence, events_frame
from monitorlab.alerting.files import dump_rules, load_rules, parse_rules, save_rules
from monitorlab.alerting.groups import RuleGroup, RuleSet, as_rules
from monitorlab.alerting.notify import Notifier, NotifyConfig
from monitorlab.alerting.overlay import Overlay
from monitorlab.alerting.rules import AlertRule, RecordingRule, make_rule
from monitorlab.alerting.ruletests import (
    RuleTestCase,
    RuleTestReport,
    rule_test_cases,
    run_rule_tests,
)
from monitorlab.alerting.scorecard import Score
from monitorlab.alerting.signals import Context
from monitorlab.alerting.slo import BURN_RATES, BurnRate, burn_rate_rules
from monitorlab.alerting.suggest import suggest_rules
from monitorlab.alerting.tune import tune
from monitorlab.alerting.tuned import Tuned

__all__ = [
    "BURN_RATES",
    "Alert",
    "AlertRule",
    "Backtest",
    "BurnRate",
    "Comparison",
    "Context",
    "Event",
    "LiveEngine",
    "Notifier",
    "NotifyConfig",
    "Overlay",
    "PersonAction",
    "RecordingRule",
    "RuleEvaluator",
    "RuleGroup",
    "RuleSet",
    "RuleTestCase",
    "RuleTestReport",
    "Score",
    "Silence",
    "Tuned",
    "as_rules",
    "backtest",
    "burn_rate_rules",
    "dump_rules",
    "events_frame",
    "load_rules",
    "make_rule",
    "parse_rules",
    "rule_test_cases",
    "run_rule_tests",
    "save_rules",
    "suggest_rules",
    "tune",
]
