"""Readers, what they chose, and what arrives with an address."""

from subscribers.models.arriving import Inbox, Letter
from subscribers.models.keymarks import KeyCanary
from subscribers.models.reader import Consent, Subscriber, Subscription, Suppression

__all__ = [
    "Consent",
    "Inbox",
    "KeyCanary",
    "Letter",
    "Subscriber",
    "Subscription",
    "Suppression",
]
