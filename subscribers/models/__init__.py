"""Models of readers, their preferences, and work that waits for a worker."""

from subscribers.models.export import Export
from subscribers.models.intake import Intake, TransactionalEmail
from subscribers.models.key_check import KeyCheck
from subscribers.models.subscriber import (
    Consent,
    LiftedSuppression,
    Subscriber,
    Subscription,
    Suppression,
)
from subscribers.models.unsubscribe_reason import UnsubscribeReason

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
