"""What is sent to whom, and what became of it."""

from newsletter.delivery.models.feedback import MailingRates, ProviderMessage
from newsletter.delivery.models.ledger import Event, Outcome, ReleaseRecipient
from newsletter.delivery.models.mailing import Batch, Edition, KillSwitch, Mailing, Release

__all__ = [
    "Batch",
    "Edition",
    "Event",
    "KillSwitch",
    "Mailing",
    "MailingRates",
    "Outcome",
    "ProviderMessage",
    "Release",
    "ReleaseRecipient",
]
