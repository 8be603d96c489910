"""Act on an email that arrived for us: record what it reports, or unsubscribe a reader.

It is safe to act twice on the same email: a report has the same key again, and unsubscribing is
idempotent. So a source may deliver an email again if a worker died before it was put away.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from newsletter.delivery.feedback.events import Feedback, event_key
from newsletter.delivery.feedback.mail import bounce_mail
from newsletter.delivery.feedback.mail.bounce_mail import Finding, Nature
from newsletter.delivery.message_ids import MAILING, MessageTrace
from subscribers import lifecycle
from subscribers.models import Subscription

log = logging.getLogger(__name__)

Record = Callable[[Feedback], bool]
"""Stores a report once and acts on it; returns whether it was new."""

SOURCE = "mail"
OLDEST_REPORT = timedelta(days=30)


def handle_email(
    raw: bytes, *, record: Record, recipient: str = "", now: datetime | None = None
) -> Nature:
    """Act on one email, and return what it was. `recipient` is the envelope's, if known."""
    mail = bounce_mail.parse(raw, recipient=recipient)
    now = now or timezone.now()
    for finding in mail.findings:
        record(feedback_of(finding, at=_time_of(mail.date, now)))
    if mail.subscription_id is not None:
        lifecycle.unsubscribe(mail.subscription_id)
    return mail.nature


def handle_sealed_mail(data: dict[str, Any], *, record: Record) -> None:
    """Act on an email that `manage.py receive_mail` sealed into the intake."""
    nature = handle_email(
        base64.b64decode(data["mail"]), record=record, recipient=data.get("recipient", "")
    )
    log.info("mail", extra={"nature": nature.value})


def feedback_of(finding: Finding, *, at: datetime) -> Feedback:
    """Return a finding as feedback.

    An email bounces once, however often its server says so: the key consists of the email's ID and
    the kind of report, not of the report's own ID.
    """
    who, refusal = finding
    return Feedback(
        source=SOURCE,
        kind=refusal.kind,
        key=event_key(SOURCE, who.reference, recipient=who.reference, kind=refusal.kind.value),
        at=at,
        trace=who.trace or _trace_of(who.subscription_id),
        code=refusal.code,
        status=refusal.status,
        fault=refusal.fault,
    )


def _trace_of(subscription_id: int | None) -> MessageTrace | None:
    """Return a trace for a report that leads to a reader, but not to a mailing (0)."""
    subscription = Subscription.objects.filter(pk=subscription_id or 0).first()
    return MessageTrace(MAILING, 0, subscription.subscriber_id) if subscription else None


def _time_of(date: datetime | None, now: datetime) -> datetime:
    """Return the report's own time if it can be true, else the present."""
    return date if date and now - OLDEST_REPORT <= date <= now else now
