"""The queue of test emails: add to it from the web, send from a worker.

A row is claimed by one conditional UPDATE and never sent again automatically: if the worker ends in
the middle, it becomes *unknown*, and its sender may ask for another one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now

from newsletter.delivery.message_ids import TRIAL, delivery_id_factory
from newsletter.delivery.models import TrialEmail
from newsletter.delivery.oversight import kill_switch
from newsletter.delivery.sending.to_staff import HandOver, hand_over
from newsletter.delivery.trial import trial_editions
from newsletter.digest.content import RenderError
from newsletter.digest.render_service import RenderServiceError
from newsletter.editorial.models import Issue, User
from newsletter.lib.queue import wake
from newsletter.transport.outcomes import Recipient, Result
from subscribers.audience import Segment

log = logging.getLogger(__name__)
State = TrialEmail.State
LEASE = timedelta(minutes=5)
"""How long sending one email takes at most."""
KEPT = timedelta(days=30)
TEST_EMAILS_AN_HOUR = 60
"""How many test emails one person may ask for. A round of all editions is usually 10 to 20."""
_WAKE = "delivery.trial_emails"


class TooManyError(Exception):
    """This person has asked for too many test emails within an hour."""


@transaction.atomic
def send_tests(
    issue: Issue, segments: list[Segment], to: list[User], *, by: User, language: str
) -> list[TrialEmail]:
    """Queue a test email of each segment's edition to each person. Raises TooManyError."""
    User.objects.select_for_update().get(pk=by.pk)  # so that two requests can't pass together
    recent = TrialEmail.objects.filter(requested_by=by, created_at__gt=Now() - timedelta(hours=1))
    if recent.count() + len(segments) * len(to) > TEST_EMAILS_AN_HOUR:
        raise TooManyError
    return [
        _add(
            TrialEmail(
                user=user,
                requested_by=by,
                language=language,
                issue=issue,
                segment=trial_editions.segment_to_json(segment),
            )
        )
        for user in to
        for segment in segments
    ]


def _add(row: TrialEmail) -> TrialEmail:
    row.save()
    transaction.on_commit(lambda: wake(_WAKE))
    return row


def drain(*, stop: Callable[[], bool] = lambda: False) -> int:
    """Send what is queued, the oldest first; return how many emails were handed over."""
    if kill_switch.is_engaged():
        return 0
    _settle_lost()
    sent = 0
    queued = TrialEmail.objects.filter(state=State.QUEUED).order_by("created_at", "pk")
    for pk in list(queued.values_list("pk", flat=True)):
        if stop():
            break
        claimed = TrialEmail.objects.filter(pk=pk, state=State.QUEUED).update(
            state=State.SENDING, claimed_at=Now()
        )
        if claimed:
            sent += _send(TrialEmail.objects.select_related("user", "issue__newsletter").get(pk=pk))
    return sent


def _settle_lost() -> None:
    lost = TrialEmail.objects.filter(state=State.SENDING, claimed_at__lt=Now() - LEASE)
    lost.update(state=State.UNKNOWN)


def _send(row: TrialEmail) -> bool:
    subject = ""
    try:
        if not (row.user.is_active and row.user.email):
            handed = HandOver(Result.FAILED, "the account is closed or has no email address")
        else:
            email = trial_editions.write(row)
            subject = email.subject
            to = Recipient(
                position=0,
                address=row.user.email,
                delivery_id=delivery_id_factory(TRIAL, row.pk)(row.user_id),
                urls=trial_editions.urls(row.language),
            )
            handed = hand_over(email, to, {"trial_email": row.pk})
    except (RenderError, RenderServiceError) as error:
        handed = HandOver(Result.FAILED, str(error))
    state = {Result.SENT: State.SENT, Result.UNKNOWN: State.UNKNOWN}.get(
        handed.result, State.FAILED
    )
    TrialEmail.objects.filter(pk=row.pk).update(
        state=state, subject=subject[:300], reason=handed.reason[:300]
    )
    if state is not State.SENT:
        log.warning("trial-email-not-sent", extra={"email": row.pk, "reason": handed.reason})
    return bool(handed)


def prune() -> int:
    """Delete rows that are older than KEPT; return how many."""
    deleted, _rows = TrialEmail.objects.filter(created_at__lt=Now() - KEPT).delete()
    return deleted
