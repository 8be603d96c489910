"""Readers whom the relay or provider refused while we were sending (D2, D5)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone

from newsletter.delivery.feedback.events import Feedback, event_key
from newsletter.delivery.feedback.record import record_many
from newsletter.delivery.message_ids import MAILING, MessageTrace
from newsletter.delivery.models import Event
from newsletter.delivery.sending.batches import OutcomeRow
from newsletter.transport.outcomes import Fault

PROVIDER_SCHEME = "anymail+"


def record_refusals(
    *, mailing_id: int, transport: str, refused: Sequence[OutcomeRow], **_signal: object
) -> None:
    """Receive newsletter.delivery.signals.refused: a refusal is a bounce that comes at once."""
    now = timezone.now()
    record_many([_feedback(mailing_id, transport, row, now) for row in refused])


def _feedback(mailing_id: int, transport: str, row: OutcomeRow, now: datetime) -> Feedback:
    by_provider = transport.startswith(PROVIDER_SCHEME)
    kind = Event.Kind.REJECTED if by_provider else Event.Kind.BOUNCED
    return Feedback(
        source=transport.partition("://")[0].removeprefix(PROVIDER_SCHEME),
        kind=kind,
        key=event_key(
            "sending", str(mailing_id), recipient=str(row.subscriber_id), kind=kind.value
        ),
        at=now,
        trace=MessageTrace(MAILING, mailing_id, row.subscriber_id),
        code=row.reply.code,
        status=row.reply.status,
        fault=Fault(row.reply.fault),
    )
