"""Start or schedule a mailing: an issue or a round-up, or again to readers it didn't reach.

A mailing starts as *preparing*; `snapshot.prepare` then decides what is sent, and to whom.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext

from newsletter.delivery.models import Mailing, Outcome, Release, ReleaseRecipient
from newsletter.delivery.oversight import kill_switch
from newsletter.delivery.planning.approved import approve_for_sending, needs_approval
from newsletter.delivery.planning.editions import round_up
from newsletter.delivery.planning.snapshot import Audience, last_outcomes
from newsletter.delivery.sending import protocol
from newsletter.editorial import approval, checks, workflow
from newsletter.editorial.models import Issue, Newsletter, User
from newsletter.editorial.schedule import Month
from newsletter.lib.queue import wake
from subscribers.audience import Frequency, has_readers


class CannotSendError(Exception):
    """The mailing can't be started; the text says why."""


def release_of(issue: Issue) -> Release:
    """Return the issue's release, and create it if it doesn't exist."""
    kind = Release.Kind.SPECIAL if issue.kind == Issue.Kind.SPECIAL else Release.Kind.WEEKLY
    return get_or_create_release(issue.newsletter, kind, issue.key, issue=issue)


def get_or_create_release(
    newsletter: Newsletter, kind: Release.Kind, period: str, *, issue: Issue | None
) -> Release:
    """Return the newsletter's release for the period; it takes the issue if it has none yet."""
    release, _ = Release.objects.get_or_create(
        newsletter=newsletter, kind=kind, period=period, defaults={"issue": issue}
    )
    if release.issue_id is None and issue is not None:
        Release.objects.filter(pk=release.pk, issue=None).update(issue=issue)
        release.issue = issue
    return release


@transaction.atomic
def send_now(issue: Issue, *, by: User | None, first_language: str = "") -> Mailing:
    """Start sending the issue, or the mailing of it that waits; return the mailing.

    It goes to all readers, or only to those whose language chain starts with `first_language`.
    A second call changes nothing. Raises CannotSendError if the issue is not approved as it is now,
    or the kill switch is on.
    """
    return _start_mailing(
        _approved_release(issue, at=timezone.now()), by, first_language=first_language
    )


@transaction.atomic
def schedule(issue: Issue, at: datetime, *, by: User | None, first_language: str = "") -> Mailing:
    """Let a tick start the issue's mailing at this time; return the mailing.

    One that is held or scheduled gets the new time. One that has started stays as it is. Raises
    CannotSendError, also for a time that isn't ahead by the database's clock.
    """
    if at <= protocol.database_now():
        raise CannotSendError(gettext("This time has passed. Choose a later one."))
    mailing = _waiting_mailing(_approved_release(issue, at=at), by, first_language=first_language)
    _not_started(mailing).update(
        state=Mailing.State.SCHEDULED,
        hold="",
        hold_detail="",
        started_by=by,
        send_at=at,
        finished_at=None,
    )
    mailing.refresh_from_db()
    return mailing


@transaction.atomic
def hold_by_hand(issue: Issue, *, by: User | None) -> Mailing | None:
    """Keep the schedule from sending the issue; return its held mailing, or None if it started."""
    release = release_of(issue)
    mailing = _waiting_mailing(release, by)
    held = _not_started(mailing).update(
        state=Mailing.State.HELD,
        hold=Mailing.Hold.BY_HAND,
        hold_detail="",
        send_at=None,
        finished_at=None,
    )
    mailing.refresh_from_db()
    return mailing if held else None


def release_hold(mailing: Mailing, *, at: datetime | None) -> bool:
    """End a hold by hand; return False if there was none.

    At that time a tick starts the mailing if the issue is approved by then. Without a time, the
    mailing stays until an editor sends it.
    """
    held = Mailing.objects.filter(
        pk=mailing.pk, state=Mailing.State.HELD, hold=Mailing.Hold.BY_HAND
    )
    if at is None:
        return held.update(state=Mailing.State.CANCELLED, hold="", finished_at=Now()) == 1
    return held.update(state=Mailing.State.SCHEDULED, hold="", send_at=at, started_by=None) == 1


def _approved_release(issue: Issue, *, at: datetime) -> Release:
    """Return the issue's release. Raises CannotSendError unless it is approved as it is now, and
    has no error at that time."""
    if not issue.is_approved:
        raise CannotSendError(gettext("The issue is not approved."))
    if error := checks.first_error(issue, at=at):
        raise CannotSendError(error)
    release = release_of(issue)
    if needs_approval(release) and not approval.holds(issue):
        raise CannotSendError(gettext("The issue has changed since it was approved."))
    return release


def send_round_up(newsletter: Newsletter, month: Month, *, by: User | None) -> Mailing:
    """Start sending a month's round-up to the readers who chose monthly emails.

    A second call changes nothing. Raises CannotSendError if there is nothing to send or nobody
    to send it to, or if the kill switch is on.
    """
    if not round_up(newsletter, month, at=timezone.now()).articles:
        raise CannotSendError(gettext("No issue of this month has been sent."))
    if not has_readers(newsletter, Frequency.MONTHLY):
        raise CannotSendError(gettext("No reader has chosen the monthly round-up."))
    with transaction.atomic():
        release = get_or_create_release(newsletter, Release.Kind.MONTHLY, month.key, issue=None)
        return _start_mailing(release, by)


def _start_mailing(release: Release, by: User | None, *, first_language: str = "") -> Mailing:
    """Create the mailing, or release a held one, in the caller's transaction."""
    mailing = _waiting_mailing(release, by, first_language=first_language)
    _not_started(mailing).update(
        state=Mailing.State.PREPARING,
        hold="",
        hold_detail="",
        started_by=by,
        send_at=None,
        finished_at=None,
    )
    transaction.on_commit(lambda: wake("delivery.prepare", mailing.pk))
    mailing.refresh_from_db()
    return mailing


def _waiting_mailing(release: Release, by: User | None, *, first_language: str = "") -> Mailing:
    """Return the release's mailing to this audience, created as *held* if there is none.

    Raises CannotSendError while the kill switch is on.
    """
    if kill_switch.is_engaged():
        raise CannotSendError(gettext("The kill switch is on."))
    mailing, _ = Mailing.objects.get_or_create(
        release=release,
        audience=Audience.FIRST_LANGUAGE if first_language else Audience.ALL,
        language=first_language,
        number=1,
        defaults={"started_by": by, "state": Mailing.State.HELD},
    )
    return mailing


def _not_started(mailing: Mailing) -> QuerySet[Mailing]:
    """Return a query for the mailing if no snapshot of its readers was taken or is being taken.

    That includes one that was cancelled before: none of its readers is a recipient, and nothing
    of it can have been sent.
    """
    states = [Mailing.State.HELD, Mailing.State.SCHEDULED, Mailing.State.CANCELLED]
    return Mailing.objects.filter(pk=mailing.pk, state__in=states, snapshot_at=None)


@transaction.atomic
def send_again(release: Release, audience: Audience, *, by: User | None) -> Mailing:
    """Send to the readers whose last outcome puts them into this audience.

    If it is unknown (IN_DOUBT), some may get the email twice. Their earlier outcome becomes
    *failed*, by the operator's decision, because only the new one counts. Raises CannotSendError.
    """
    Release.objects.select_for_update().get(pk=release.pk)
    mailings = list(release.mailings.all())
    states = {mailing.state for mailing in mailings}
    if Mailing.State.CLOSED in states:
        raise CannotSendError(gettext("This mailing is closed. Only its counts are kept."))
    if Mailing.State.PREPARING in states:
        raise CannotSendError(
            gettext("Another mailing of this issue is still being prepared. Try again in a minute.")
        )
    current = ReleaseRecipient.objects.filter(
        release_id=release.pk,
        mailing_id=OuterRef("mailing_id"),
        subscriber_id=OuterRef("subscriber_id"),
    )
    matching = Outcome.objects.filter(
        Exists(current),
        mailing_id__in=[mailing.pk for mailing in mailings],
        result__in=last_outcomes(audience),
    )
    if not matching.exists():
        raise CannotSendError(gettext("There are no readers to send it to."))
    if release.issue is not None:
        try:
            approve_for_sending(release.issue, by=by)
        except workflow.OwnTextError as error:
            raise CannotSendError(str(error)) from None
    numbers = [mailing.number for mailing in mailings if mailing.audience == audience]
    mailing = Mailing.objects.create(
        release=release, audience=audience, number=max(numbers, default=0) + 1, started_by=by
    )
    transaction.on_commit(lambda: wake("delivery.prepare", mailing.pk))
    return mailing
