"""Models of readers, their preferences, and work that waits for a worker."""

from subscribers.models.intake import Intake, TransactionalEmail
from subscribers.models.records import Export, KeyCheck
from subscribers.models.subscriber import (
    Consent,
    LiftedSuppression,
    Subscriber,
    Subscription,
    Suppression,
    UnsubscribeReason,
)

__all__ = [
    "Consent",
    "Export",
    "Intake",
    "KeyCheck",
    "LiftedSuppression",
    "Subscriber",
    "Subscription",
    "Suppression",
    "TransactionalEmail",
    "UnsubscribeReason",
]
