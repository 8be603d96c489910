"""Makes a mailing and freezes it: what is sent, and to whom.

Content is rendered and checked first, outside any transaction. Then one transaction, serialised
per release by its row, takes the readers, writes Reach, cuts batches and stores the count and
the checksum. A profile that appeared meanwhile has no edition: then all is undone and starts
over.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext

from newsletter.delivery import audiences, ledger, monthly, panic, papers, progress, transports
from newsletter.delivery.audiences import Audience
from newsletter.delivery.editions import Editions, draft_editions
from newsletter.delivery.hours import due_at
from newsletter.delivery.mails import mail_of
from newsletter.delivery.models import Batch, Edition, Mailing, Outcome, Reach, Release
from newsletter.delivery.packing import MODULUS, checksum, pack
from newsletter.delivery.settlement import Line
from newsletter.digest.content import RenderError
from newsletter.editorial.content import newsletter_content
from newsletter.editorial.models import Issue, Newsletter, User
from newsletter.editorial.schedule import Month
from newsletter.lib.queue import hint
from newsletter.transport.base import CompileError
from newsletter.transport.outcomes import Result
from subscribers.audience import Profile, Rhythm, has_readers, profiles, stream

log = logging.getLogger(__name__)
ATTEMPTS = 5
HINTS = 100
"""Hints per freeze or tick: each worker goes on with what is due, so a few wake them all."""
PORTION = 20
"""Batches written at a time."""


class AudienceMoved(Exception):  # noqa: N818 - names what happened
    """A reader chose something meanwhile that no rendered edition serves."""


class CannotSend(Exception):  # noqa: N818 - a value for the desk and the command line
    """The issue cannot be sent; the text says why."""


def release_of(issue: Issue) -> Release:
    """The release of an issue; made where there is none."""
    kind = Release.Kind.SPECIAL if issue.kind == Issue.Kind.SPECIAL else Release.Kind.WEEKLY
    release, _ = Release.objects.get_or_create(
        newsletter_id=issue.newsletter_id, kind=kind, period=issue.key, defaults={"issue": issue}
    )
    if release.issue_id is None:
        Release.objects.filter(pk=release.pk, issue=None).update(issue=issue)
        release.issue = issue
    return release


def send_now(issue: Issue, *, by: User | None, first_language: str = "") -> Mailing:
    """Start sending the issue, or release what was held; returns the mailing.

    It goes to all readers, or only to those whose chain begins with `first_language`. A second
    call changes nothing. Raises CannotSend for an issue that is not approved.
    """
    if not issue.is_approved:
        raise CannotSend(gettext("The issue is not approved."))
    with transaction.atomic():
        return _begin(release_of(issue), by, first_language=first_language)


def send_round_up(newsletter: Newsletter, month: Month, *, by: User | None) -> Mailing:
    """The same for a month's round-up, to the readers of that rhythm. Raises CannotSend."""
    if not papers.round_up(newsletter, month, at=timezone.now()).articles:
        raise CannotSend(gettext("No issue of this month has been sent."))
    if not has_readers(newsletter, Rhythm.MONTHLY):
        raise CannotSend(gettext("No reader has chosen the monthly round-up."))
    with transaction.atomic():
        release, _ = monthly.release_of(newsletter, month)
        return _begin(release, by)


def _begin(release: Release, by: User | None, *, first_language: str = "") -> Mailing:
    """Make the mailing, or release a held one, in the caller's transaction."""
    if panic.is_frozen():
        raise CannotSend(gettext("The site is frozen."))
    mailing, _ = Mailing.objects.get_or_create(
        release=release,
        audience=Audience.FIRST_LANGUAGE if first_language else Audience.ALL,
        language=first_language,
        number=1,
        defaults={"started_by": by},
    )
    Mailing.objects.filter(pk=mailing.pk, state=Mailing.State.HELD).update(
        state=Mailing.State.PREPARING, hold="", hold_detail="", started_by=by
    )
    transaction.on_commit(lambda: hint("delivery.prepare", mailing.pk))
    mailing.refresh_from_db()
    return mailing


def send_to_unreached(release: Release, *, by: User | None) -> Mailing:
    """Send to those whose last outcome is refused, failed or skipped. Raises CannotSend."""
    return _send_after(release, Audience.UNREACHED, by)


def send_to_doubtful(release: Release, *, by: User | None) -> Mailing:
    """Send again to those whose outcome is unknown: it may arrive twice. Raises CannotSend.

    Their earlier outcome becomes *failed*, decided by the operator, as the new one counts.
    """
    return _send_after(release, Audience.IN_DOUBT, by)


def _send_after(release: Release, audience: Audience, by: User | None) -> Mailing:
    with transaction.atomic():
        Release.objects.select_for_update().get(pk=release.pk)
        mailings = list(release.mailings.all())
        if any(mailing.state == Mailing.State.CLOSED for mailing in mailings):
            raise CannotSend(gettext("This send-out was closed: only its counts are left."))
        if any(mailing.state == Mailing.State.PREPARING for mailing in mailings):
            raise CannotSend(
                gettext(
                    "Another mailing of this issue is still being prepared. Try again in a minute."
                )
            )
        last = Reach.objects.filter(
            release_id=release.pk,
            mailing_id=OuterRef("mailing_id"),
            subscriber_id=OuterRef("subscriber_id"),
        )
        of_it = Outcome.objects.filter(mailing_id__in=[mailing.pk for mailing in mailings])
        results = audiences.last_outcomes(audience)
        if not of_it.filter(Exists(last), result__in=results).exists():
            raise CannotSend(gettext("There is nobody to send it to."))
        numbers = [mailing.number for mailing in mailings if mailing.audience == audience]
        made = Mailing.objects.create(
            release=release, audience=audience, number=max(numbers, default=0) + 1, started_by=by
        )
        transaction.on_commit(lambda: hint("delivery.prepare", made.pk))
    return made


def prepare(mailing_id: int, *, now: datetime | None = None) -> Mailing:
    """Freeze a mailing that is being prepared. Running twice freezes once."""
    at = now or timezone.now()
    mailing = Mailing.objects.select_related("release__newsletter", "release__issue").get(
        pk=mailing_id
    )
    for attempt in range(ATTEMPTS):
        if mailing.state != Mailing.State.PREPARING:
            return mailing
        try:
            editions = _draft(mailing, at)
            _start(mailing.pk, _freeze(mailing, editions))
        except AudienceMoved:
            log.info("audience-moved", extra={"mailing": mailing_id, "attempt": attempt})
        except (RenderError, CompileError) as error:
            hold(mailing, Mailing.Hold.UNRENDERABLE, detail=str(error)[:300])
        mailing.refresh_from_db()
    return mailing  # still preparing: the next tick goes on


def hold(mailing: Mailing, reason: Mailing.Hold, *, detail: str = "") -> None:
    """Hold a mailing that is not frozen yet, with the reason that the desk shows."""
    Mailing.objects.filter(pk=mailing.pk, state=Mailing.State.PREPARING).update(
        state=Mailing.State.HELD, hold=reason, hold_detail=detail
    )
    log.warning("hold", extra={"mailing": mailing.pk, "reason": reason})


def _draft(mailing: Mailing, at: datetime) -> Editions:
    """Render what the audience calls for, and check that a transport can send it."""
    newsletter = mailing.release.newsletter
    found = profiles(newsletter, _rhythm_of(mailing.release))
    editions = draft_editions(
        mailing,
        [profile for profile, _ in found if _includes(mailing, profile)],
        newsletter,
        letterhead=newsletter_content(newsletter),
        issue=papers.paper_of(mailing.release, at=at),
        today=newsletter.date_at(at),
    )
    # What a transport cannot send must not be frozen.
    transport = transports.preferred()
    for edition in editions.drafts.values():
        transport.compile(mail_of(edition))
    return editions


@dataclass
class _Tally:
    """What a freeze has taken so far. Batches are saved in portions, so memory stays flat."""

    starts: datetime
    readers: int = 0
    checksum: int = 0
    batches: int = 0
    first: list[int] = field(default_factory=list)
    """Ids of the first batches that are due at once, to be hinted."""
    _unsaved: list[Batch] = field(default_factory=list)

    def add(self, ids: list[int]) -> None:
        self.readers += len(ids)
        self.checksum = (self.checksum + checksum(ids)) % MODULUS

    def keep(self, batch: Batch) -> None:
        self._unsaved.append(batch)
        if len(self._unsaved) == PORTION:
            self.save()

    def save(self) -> None:
        saved = Batch.objects.bulk_create(self._unsaved)
        self.batches += len(saved)
        due = [batch.pk for batch in saved if batch.due_at == self.starts]
        self.first += due[: HINTS - len(self.first)]
        self._unsaved = []


@transaction.atomic
def _freeze(mailing: Mailing, editions: Editions) -> list[int]:
    """The ids of the first batches that are due at once."""
    Release.objects.select_for_update().get(pk=mailing.release_id)
    if not Mailing.objects.filter(pk=mailing.pk, state=Mailing.State.PREPARING).exists():
        return []
    Edition.objects.bulk_create(editions.drafts.values())
    saved = {edition.key: edition for edition in mailing.editions.all()}
    starts = progress.database_now()
    tally = _Tally(starts)
    for profile, hour, ids in _portions(mailing):
        if profile not in editions.by_profile:
            raise AudienceMoved
        taken = _take(mailing, ids)
        tally.add(taken)
        key = editions.by_profile[profile]
        if key is None:
            skipped = [Line(reader, Result.SKIPPED) for reader in taken]
            ledger.insert_outcomes(
                mailing.pk, skipped, source=Outcome.Source.PLANNER, batch_id=None
            )
        elif taken:
            due = due_at(hour, zone=mailing.release.newsletter.timezone, since=starts)
            tally.keep(new_batch(saved[key], taken, due_at=due))
    tally.save()
    if mailing.audience == Audience.IN_DOUBT:
        _supersede_unknowns(mailing)
    Mailing.objects.filter(pk=mailing.pk).update(
        state=Mailing.State.SENDING,
        frozen_at=starts,
        readers=tally.readers,
        checksum=tally.checksum,
    )
    counts = {"readers": tally.readers, "editions": len(saved), "batches": tally.batches}
    log.info("freeze", extra={"mailing": mailing.pk, **counts})
    return tally.first


def _includes(mailing: Mailing, profile: Profile) -> bool:
    return audiences.includes(profile, first_language=mailing.language)


def _take(mailing: Mailing, ids: list[int]) -> list[int]:
    """Add the readers to the mailing; returns those whom its audience takes."""
    after = audiences.last_outcomes(mailing.audience)
    if not after:
        return ledger.reach(mailing.release_id, mailing.pk, ids)
    return ledger.reach_again(mailing.release_id, mailing.pk, ids, after=after)


def _supersede_unknowns(mailing: Mailing) -> None:
    """The doubt about readers who are sent to again is over: only the new outcome counts."""
    taken = Reach.objects.filter(mailing_id=mailing.pk).values("subscriber_id")
    earlier = mailing.release.mailings.exclude(pk=mailing.pk).values("pk")
    Outcome.objects.filter(
        mailing_id__in=earlier, subscriber_id__in=taken, result=Result.UNKNOWN
    ).update(result=Result.FAILED, source=Outcome.Source.OPERATOR)


def _rhythm_of(release: Release) -> Rhythm:
    return Rhythm.MONTHLY if release.kind == Release.Kind.MONTHLY else Rhythm.WEEKLY


def _portions(mailing: Mailing) -> Iterator[tuple[Profile, int | None, list[int]]]:
    """The mailing's readers in portions of a batch's size, each of one profile and one hour."""
    readers = stream(mailing.release.newsletter, _rhythm_of(mailing.release))
    for (profile, hour), rows in groupby(readers, key=itemgetter(0, 1)):
        if not _includes(mailing, profile):
            continue
        ids: list[int] = []
        for _, _, reader in rows:
            ids.append(reader)
            if len(ids) == settings.SEND_BATCH_SIZE:
                yield profile, hour, ids
                ids = []
        if ids:
            yield profile, hour, ids


def new_batch(edition: Edition, readers: list[int], *, due_at: datetime) -> Batch:
    """A batch that is not saved yet."""
    return Batch(
        mailing_id=edition.mailing_id,
        edition=edition,
        reader_ids=pack(readers),
        size=len(readers),
        due_at=due_at,
        give_up_at=due_at + timedelta(hours=settings.SEND_GIVE_UP_HOURS),
    )


def _start(mailing_id: int, batches: list[int]) -> None:
    progress.finish_mailing(mailing_id)
    for batch_id in batches:
        if not hint("delivery.send", batch_id):
            return
