"""What a tick does for the schedule: create the mailings that are due, and prepare them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from newsletter.delivery.models import Mailing, Release
from newsletter.delivery.oversight import kill_switch, restore_guard
from newsletter.delivery.planning import snapshot, start
from newsletter.delivery.planning.editions import round_up
from newsletter.editorial import approval, ordering, schedule, workflow
from newsletter.editorial.models import Article, Issue, Newsletter
from newsletter.editorial.schedule import Decision, Occurrence, RoundUp
from newsletter.lib.run_all import run_all
from subscribers import audience

log = logging.getLogger(__name__)
Hold = Mailing.Hold

UNREADY = [Hold.NOT_APPROVED, Hold.CHANGED, Hold.NO_ISSUE, Hold.TOO_THIN]
"""Reasons that editors can remove: such a mailing is checked again until it is too late."""


def dispatch(now: datetime | None = None) -> list[Mailing]:
    """Create the mailings that are due; return those to be prepared.

    However many dispatchers run at the same time, they create one mailing: it is unique (E1).
    """
    if kill_switch.is_engaged():
        return []
    at = now or timezone.now()
    steps: list[tuple[str, Callable[[], Mailing | None]]] = []
    for newsletter in Newsletter.objects.filter(schedule_active=True):
        steps += [
            (f"{newsletter.slug}, week", partial(_dispatch_week, newsletter, at)),
            (f"{newsletter.slug}, month", partial(_dispatch_month, newsletter, at)),
        ]
    steps += [
        (f"mailing {mailing.pk}", partial(_start_scheduled, mailing, at))
        for mailing in _scheduled(at)
    ]
    due = run_all(steps).values()
    return [mailing for mailing in due if mailing and mailing.state == Mailing.State.PREPARING]


def _dispatch_week(newsletter: Newsletter, now: datetime) -> Mailing | None:
    occasion = schedule.latest_occurrence(newsletter.rule, now)
    issue = newsletter.issues.for_week(occasion.week)
    if issue is not None and not issue.goes_out_with(occasion.week):
        return None
    # An editor who sends the issue by hand creates a release with the same period.
    period = issue.key if issue else occasion.week.isoformat()
    existing = Mailing.objects.filter(
        release__newsletter=newsletter,
        release__kind=Release.Kind.WEEKLY,
        release__period=period,
        audience=Mailing.Audience.ALL,
    ).first()
    # A scheduled mailing starts at its time, not here.
    done = existing is not None and (existing.send_at is not None or existing.hold not in UNREADY)
    decision = _decide(newsletter, occasion, now, done=done)
    if decision is Decision.WAIT:
        return None
    if issue is None and newsletter.approval == Newsletter.Approval.AUTOMATIC:
        issue = _assemble_issue(newsletter, occasion, now)
    if decision is Decision.HOLD_LATE:
        reason = Hold.LATE
    elif restore_guard.may_have_been_sent(occasion.at):
        reason = Hold.RESTORED
    else:
        reason = readiness(newsletter, issue, now)
    if issue is not None and not reason and not issue.is_approved:
        workflow.approve(issue, by=None)  # the newsletter sends without approval
    with transaction.atomic():
        release = start.get_or_create_release(newsletter, Release.Kind.WEEKLY, period, issue=issue)
        return _create_or_release(release, reason)


def _scheduled(now: datetime) -> QuerySet[Mailing]:
    """Return the mailings whose own time has come, and those held then that may be ready now."""
    waiting = Q(state=Mailing.State.SCHEDULED) | Q(state=Mailing.State.HELD, hold__in=UNREADY)
    rows = Mailing.objects.filter(waiting, send_at__lte=now)
    return rows.select_related("release__newsletter", "release__issue")


def _start_scheduled(mailing: Mailing, now: datetime) -> Mailing | None:
    """Start the mailing, or hold it with the reason; None if neither changes anything."""
    due = mailing.send_at or now
    if now - due >= timedelta(hours=settings.LATE_HOURS):
        reason = Hold.LATE
    elif restore_guard.may_have_been_sent(due):
        reason = Hold.RESTORED
    else:
        issue = mailing.release.issue
        reason = readiness(mailing.release.newsletter, issue, now)
        if reason == Hold.TOO_THIN and mailing.started_by_id:
            reason = Hold.NONE  # whoever set the time had seen how much there is
    if mailing.state == Mailing.State.HELD and mailing.hold == reason:
        return None
    state = Mailing.State.HELD if reason else Mailing.State.PREPARING
    # Conditional: an editor may cancel it, hold it or set another time at the same moment.
    unchanged = Mailing.objects.filter(
        pk=mailing.pk, state=mailing.state, hold=mailing.hold, send_at=mailing.send_at
    )
    if not unchanged.update(state=state, hold=reason):
        return None
    log.info("dispatch", extra={"mailing": mailing.pk, "state": state, "hold": reason})
    mailing.refresh_from_db()
    return mailing


def _dispatch_month(newsletter: Newsletter, now: datetime) -> Mailing | None:
    """Create the mailing of the round-up that is due, once (E1, E3); None if there is none.

    Its release is created even if nobody reads it or there is nothing to read: the release records
    that the month was dealt with. So a reader who switches to monthly emails in the middle of a
    month gets the next round-up first.
    """
    due = schedule.latest_round_up(newsletter.rule, now)
    key: dict[str, Any] = {"kind": Release.Kind.MONTHLY, "period": due.month.key}
    decision = _decide(newsletter, due, now, done=newsletter.releases.filter(**key).exists())
    if decision is Decision.WAIT:
        return None
    with transaction.atomic():
        release, created = newsletter.releases.get_or_create(**key)
        is_wanted = (
            created
            and audience.has_readers(newsletter, audience.Frequency.MONTHLY)
            and round_up(newsletter, due.month, at=now).articles
        )
        reason = Hold.NONE
        if decision is Decision.HOLD_LATE:
            reason = Hold.LATE
        elif restore_guard.may_have_been_sent(due.at):
            reason = Hold.RESTORED
        return _create_or_release(release, reason) if is_wanted else None


def _decide(
    newsletter: Newsletter, due: Occurrence | RoundUp, now: datetime, *, done: bool
) -> Decision:
    since, late_hours = newsletter.schedule_since, settings.LATE_HOURS
    return schedule.decide(due, now, since=since, done=done, late_hours=late_hours)


@transaction.atomic
def _assemble_issue(newsletter: Newsletter, occasion: Occurrence, now: datetime) -> Issue | None:
    """Return an issue of the week's ready articles that no issue contains; None without any."""
    Newsletter.objects.select_for_update().get(pk=newsletter.pk)
    start = datetime.combine(occasion.week, clock_time(), tzinfo=UTC)
    ready = Article.objects.public(now).filter(
        newsletter=newsletter, issue=None, published_at__gte=start - timedelta(days=1)
    )
    if not ready:
        return None
    issue, _ = Issue.objects.get_or_create(
        newsletter=newsletter,
        starts_on=occasion.week,
        kind=Issue.Kind.WEEK,
        defaults={"ends_on": occasion.week + timedelta(days=6), "state": Issue.State.APPROVED},
    )
    ordering.append(issue, list(ready.order_by("position", "pk").values_list("pk", flat=True)))
    return issue


def readiness(newsletter: Newsletter, issue: Issue | None, now: datetime) -> Hold:
    """Return why the issue can't be sent now; Hold.NONE if it can."""
    if issue is None:
        return Hold.NO_ISSUE
    if not newsletter.has_enough_articles(issue.articles.public(now).count()):
        return Hold.TOO_THIN
    if newsletter.approval != Newsletter.Approval.AUTOMATIC:
        if not issue.is_approved:
            return Hold.NOT_APPROVED
        if not approval.holds(issue):
            return Hold.CHANGED
    return Hold.NONE


def _create_or_release(release: Release, reason: Hold) -> Mailing:
    """Create the mailing, or release it if an editor has removed the reason for holding it."""
    state = Mailing.State.HELD if reason else Mailing.State.PREPARING
    mailing, created = Mailing.objects.get_or_create(
        release=release, audience=Mailing.Audience.ALL, defaults={"state": state, "hold": reason}
    )
    if not created:
        Mailing.objects.filter(pk=mailing.pk, state=Mailing.State.HELD, hold__in=UNREADY).update(
            state=state, hold=reason
        )
        mailing.refresh_from_db()
    if created or mailing.state == Mailing.State.PREPARING:
        log.info("dispatch", extra={"mailing": mailing.pk, "state": state, "hold": reason})
    return mailing


def prepare_waiting() -> int:
    """Take the snapshots that are still to be taken, also after a worker died; return how many."""
    if kill_switch.is_engaged():
        return 0
    waiting = Mailing.objects.filter(state=Mailing.State.PREPARING).values_list("pk", flat=True)
    return len(run_all((f"mailing {pk}", partial(snapshot.prepare, pk)) for pk in list(waiting)))
