"""Readers, what they chose, and what arrives with an address."""

from subscribers.models.arriving import Inbox, Letter
from subscribers.models.exports import Export
from subscribers.models.keymarks import KeyCanary
from subscribers.models.leaving import Departure
from subscribers.models.reader import Consent, Subscriber, Subscription, Suppression

__all__ = [
    "Consent",
    "Departure",
    "Export",
    "Inbox",
    "KeyCanary",
    "Letter",
    "Subscriber",
    "Subscription",
    "Suppression",
]
