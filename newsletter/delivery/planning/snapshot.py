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

from newsletter.delivery.models import Batch, Edition, Mailing, Outcome, Release, ReleaseRecipient
from newsletter.delivery.oversight import kill_switch
from newsletter.delivery.planning import audiences, monthly, release_content
from newsletter.delivery.planning.audiences import Audience
from newsletter.delivery.planning.delivery_hour import due_at
from newsletter.delivery.planning.editions import Editions, draft_editions
from newsletter.delivery.sending import ledger, protocol, transports
from newsletter.delivery.sending.messages import email_of
from newsletter.delivery.sending.packing import MODULUS, checksum, pack
from newsletter.delivery.sending.settlement import OutcomeRow
from newsletter.digest.content import RenderError
from newsletter.editorial.content import newsletter_content
from newsletter.editorial.models import Issue, Newsletter, User
from newsletter.editorial.schedule import Month
from newsletter.lib.queue import wake
from newsletter.transport.base import CompileError
from newsletter.transport.outcomes import Result
from subscribers.audience import Frequency, Segment, has_readers, segments, stream

log = logging.getLogger(__name__)
ATTEMPTS = 5
WAKE_UPS = 100
"""Hints per freeze or tick: each worker goes on with what is due, so a few wake them all."""
PORTION = 20
"""Batches written at a time."""


class AudienceChangedError(Exception):
    """A reader chose something meanwhile that no rendered edition serves."""


class CannotSendError(Exception):
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
        raise CannotSendError(gettext("The issue is not approved."))
    with transaction.atomic():
        return _start_mailing(release_of(issue), by, first_language=first_language)


def send_round_up(newsletter: Newsletter, month: Month, *, by: User | None) -> Mailing:
    """The same for a month's round-up, to the readers of that rhythm. Raises CannotSend."""
    if not release_content.round_up(newsletter, month, at=timezone.now()).articles:
        raise CannotSendError(gettext("No issue of this month has been sent."))
    if not has_readers(newsletter, Frequency.MONTHLY):
        raise CannotSendError(gettext("No reader has chosen the monthly round-up."))
    with transaction.atomic():
        release, _ = monthly.release_of(newsletter, month)
        return _start_mailing(release, by)


def _start_mailing(release: Release, by: User | None, *, first_language: str = "") -> Mailing:
    """Make the mailing, or release a held one, in the caller's transaction."""
    if kill_switch.is_engaged():
        raise CannotSendError(gettext("The kill switch is on."))
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
    transaction.on_commit(lambda: wake("delivery.prepare", mailing.pk))
    mailing.refresh_from_db()
    return mailing


def send_to_unreached(release: Release, *, by: User | None) -> Mailing:
    """Send to those whose last outcome is refused, failed or skipped. Raises CannotSend."""
    return _send_again(release, Audience.UNREACHED, by)


def send_to_in_doubt(release: Release, *, by: User | None) -> Mailing:
    """Send again to those whose outcome is unknown: it may arrive twice. Raises CannotSend.

    Their earlier outcome becomes *failed*, decided by the operator, as the new one counts.
    """
    return _send_again(release, Audience.IN_DOUBT, by)


def _send_again(release: Release, audience: Audience, by: User | None) -> Mailing:
    with transaction.atomic():
        Release.objects.select_for_update().get(pk=release.pk)
        mailings = list(release.mailings.all())
        if any(mailing.state == Mailing.State.CLOSED for mailing in mailings):
            raise CannotSendError(gettext("This mailing is closed. Only its counts are kept."))
        if any(mailing.state == Mailing.State.PREPARING for mailing in mailings):
            raise CannotSendError(
                gettext(
                    "Another mailing of this issue is still being prepared. Try again in a minute."
                )
            )
        last = ReleaseRecipient.objects.filter(
            release_id=release.pk,
            mailing_id=OuterRef("mailing_id"),
            subscriber_id=OuterRef("subscriber_id"),
        )
        of_it = Outcome.objects.filter(mailing_id__in=[mailing.pk for mailing in mailings])
        results = audiences.last_outcomes(audience)
        if not of_it.filter(Exists(last), result__in=results).exists():
            raise CannotSendError(gettext("There are no readers to send it to."))
        numbers = [mailing.number for mailing in mailings if mailing.audience == audience]
        made = Mailing.objects.create(
            release=release, audience=audience, number=max(numbers, default=0) + 1, started_by=by
        )
        transaction.on_commit(lambda: wake("delivery.prepare", made.pk))
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
            _wake_workers(mailing.pk, _take_snapshot(mailing, editions))
        except AudienceChangedError:
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
    found = segments(newsletter, _rhythm_of(mailing.release))
    editions = draft_editions(
        mailing,
        [segment for segment, _ in found if _includes(mailing, segment)],
        newsletter,
        branding=newsletter_content(newsletter),
        issue=release_content.content_of(mailing.release, at=at),
        today=newsletter.local_date(at),
    )
    # What a transport cannot send must not be frozen.
    transport = transports.preferred()
    for edition in editions.drafts.values():
        transport.compile(email_of(edition))
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
        self.first += due[: WAKE_UPS - len(self.first)]
        self._unsaved = []


@transaction.atomic
def _take_snapshot(mailing: Mailing, editions: Editions) -> list[int]:
    """The ids of the first batches that are due at once."""
    Release.objects.select_for_update().get(pk=mailing.release_id)
    if not Mailing.objects.filter(pk=mailing.pk, state=Mailing.State.PREPARING).exists():
        return []
    Edition.objects.bulk_create(editions.drafts.values())
    saved = {edition.key: edition for edition in mailing.editions.all()}
    starts = protocol.database_now()
    tally = _Tally(starts)
    for segment, hour, ids in _portions(mailing):
        if segment not in editions.by_segment:
            raise AudienceChangedError
        taken = _take(mailing, ids)
        tally.add(taken)
        key = editions.by_segment[segment]
        if key is None:
            skipped = [OutcomeRow(reader, Result.SKIPPED) for reader in taken]
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
        snapshot_at=starts,
        readers=tally.readers,
        checksum=tally.checksum,
    )
    counts = {"readers": tally.readers, "editions": len(saved), "batches": tally.batches}
    log.info("freeze", extra={"mailing": mailing.pk, **counts})
    return tally.first


def _includes(mailing: Mailing, segment: Segment) -> bool:
    return audiences.includes(segment, first_language=mailing.language)


def _take(mailing: Mailing, ids: list[int]) -> list[int]:
    """Add the readers to the mailing; returns those whom its audience takes."""
    after = audiences.last_outcomes(mailing.audience)
    if not after:
        return ledger.add_recipients(mailing.release_id, mailing.pk, ids)
    return ledger.move_recipients(mailing.release_id, mailing.pk, ids, after=after)


def _supersede_unknowns(mailing: Mailing) -> None:
    """The doubt about readers who are sent to again is over: only the new outcome counts."""
    taken = ReleaseRecipient.objects.filter(mailing_id=mailing.pk).values("subscriber_id")
    earlier = mailing.release.mailings.exclude(pk=mailing.pk).values("pk")
    Outcome.objects.filter(
        mailing_id__in=earlier, subscriber_id__in=taken, result=Result.UNKNOWN
    ).update(result=Result.FAILED, source=Outcome.Source.OPERATOR)


def _rhythm_of(release: Release) -> Frequency:
    return Frequency.MONTHLY if release.kind == Release.Kind.MONTHLY else Frequency.WEEKLY


def _portions(mailing: Mailing) -> Iterator[tuple[Segment, int | None, list[int]]]:
    """The mailing's readers in portions of a batch's size, each of one profile and one hour."""
    readers = stream(mailing.release.newsletter, _rhythm_of(mailing.release))
    for (segment, hour), rows in groupby(readers, key=itemgetter(0, 1)):
        if not _includes(mailing, segment):
            continue
        ids: list[int] = []
        for _, _, reader in rows:
            ids.append(reader)
            if len(ids) == settings.SEND_BATCH_SIZE:
                yield segment, hour, ids
                ids = []
        if ids:
            yield segment, hour, ids


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


def _wake_workers(mailing_id: int, batches: list[int]) -> None:
    protocol.finish_mailing(mailing_id)
    for batch_id in batches:
        if not wake("delivery.send", batch_id):
            return
