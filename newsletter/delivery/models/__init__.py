"""What is sent to whom, and what became of it."""

from newsletter.delivery.models.ledger import Event, Outcome, ReleaseRecipient
from newsletter.delivery.models.mailing import Batch, Edition, KillSwitch, Mailing, Release
from newsletter.delivery.models.operation import Continuity, TaskRun, WorkerRecord

__all__ = [
    "Batch",
    "Continuity",
    "Edition",
    "Event",
    "KillSwitch",
    "Mailing",
    "Outcome",
    "Release",
    "ReleaseRecipient",
    "TaskRun",
    "WorkerRecord",
]
