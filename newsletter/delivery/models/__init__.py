"""What is sent to whom, and what became of it."""

from newsletter.delivery.models.ledger import Event, Outcome, ReleaseRecipient
from newsletter.delivery.models.mailing import Batch, Edition, KillSwitch, Mailing, Release
from newsletter.delivery.models.usage import TransportUsage

__all__ = [
    "Batch",
    "Edition",
    "Event",
    "KillSwitch",
    "Mailing",
    "Outcome",
    "Release",
    "ReleaseRecipient",
    "TransportUsage",
]
