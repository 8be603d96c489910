"""What is sent to whom, and what became of it."""

from newsletter.delivery.models.feedback import MailingRates, ProviderMessage
from newsletter.delivery.models.ledger import Event, Outcome, ReleaseRecipient
from newsletter.delivery.models.mailing import Batch, Edition, KillSwitch, Mailing, Release
from newsletter.delivery.models.monitoring import Alert, AlertRecipient, TransportState
from newsletter.delivery.models.operation import Continuity, TaskRun, WorkerRecord
from newsletter.delivery.models.staff import (
    FailedSignIns,
    PasswordGuessing,
    StaffEmail,
    StaffSession,
)
from newsletter.delivery.models.trial import TrialEmail
from newsletter.delivery.models.usage import TransportUsage

__all__ = [
    "Alert",
    "AlertRecipient",
    "Batch",
    "Continuity",
    "Edition",
    "Event",
    "FailedSignIns",
    "KillSwitch",
    "Mailing",
    "MailingRates",
    "Outcome",
    "PasswordGuessing",
    "ProviderMessage",
    "Release",
    "ReleaseRecipient",
    "StaffEmail",
    "StaffSession",
    "TaskRun",
    "TransportState",
    "TransportUsage",
    "TrialEmail",
    "WorkerRecord",
]
