"""Telling people: routes, groups, inhibition, silences, and the targets that are told.

>>> from monitorlab.alerting.notify import NotifyConfig, Route
>>> NotifyConfig(route=Route("team", group_wait="10s")).route.receiver
'team'
"""

from monitorlab.alerting.events import Silence
from monitorlab.alerting.notify.dispatch import Dispatcher
from monitorlab.alerting.notify.messages import Notification, NotifiedAlert, fingerprint
from monitorlab.alerting.notify.notifier import Notifier, Told, notifications_frame, simulate
from monitorlab.alerting.notify.outbox import Outbox
from monitorlab.alerting.notify.routes import Inhibition, NotifyConfig, Route
from monitorlab.alerting.notify.targets import (
    AppriseTarget,
    CallbackTarget,
    DeliveryError,
    LogTarget,
    Target,
    WebhookTarget,
)

__all__ = [
    "AppriseTarget",
    "CallbackTarget",
    "DeliveryError",
    "Dispatcher",
    "Inhibition",
    "LogTarget",
    "Notification",
    "NotifiedAlert",
    "Notifier",
    "NotifyConfig",
    "Outbox",
    "Route",
    "Silence",
    "Target",
    "Told",
    "WebhookTarget",
    "fingerprint",
    "notifications_frame",
    "simulate",
]
