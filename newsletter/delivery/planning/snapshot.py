"""Take a mailing's snapshot: decide, once and for good, what is sent and to whom.

Editions are rendered and checked first, outside any transaction. Then one transaction, serialised
by the release's row, adds the release recipients, cuts batches and stores the count and the
checksum. If it meets a segment that has no edition, because a reader changed preferences in the
meantime, everything is rolled back and starts over.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import groupby, islice
from operator import itemgetter
from time import monotonic
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from newsletter.delivery.models import Batch, Edition, Mailing, Outcome, Release, ReleaseRecipient
from newsletter.delivery.planning.approved import (
    NotApprovedError,
    approved_content,
    check_still_approved,
)
from newsletter.delivery.planning.editions import Editions, draft_editions
from newsletter.delivery.sending import ledger, protocol, transports, wake_ups
from newsletter.delivery.sending.batches import MODULUS, OutcomeRow, checksum, pack
from newsletter.delivery.sending.messages import build_email
from newsletter.digest.content import RenderError
from newsletter.editorial import checks
from newsletter.editorial.revisions import mark_as_sent
from newsletter.transport.base import CompileError
from newsletter.transport.outcomes import Result
from subscribers.audience import Frequency, Segment, segments, stream

log = logging.getLogger(__name__)
Audience = Mailing.Audience
ATTEMPTS = 5
INSERT_SIZE = 20
"""How many batches are written at a time."""
_LAST_OUTCOMES = {
    # Unknown is left out: such a reader may have received the message.
    Audience.UNREACHED: frozenset({Result.REFUSED, Result.FAILED, Result.SKIPPED}),
    Audience.IN_DOUBT: frozenset({Result.UNKNOWN}),
}


class AudienceChangedError(Exception):
    """A reader now belongs to a segment for which no edition was rendered."""


class StoppedError(Exception):
    """Somebody paused or cancelled the mailing while its snapshot was being taken."""


def last_outcomes(audience: str) -> frozenset[Result]:
    """Return the last outcomes that put a recipient of the release into this audience."""
    return _LAST_OUTCOMES.get(Audience(audience), frozenset())


def due_at(hour: int | None, *, zone: str, since: datetime) -> datetime:
    """Return the first moment at or after `since` at which it is that hour in `zone`, in UTC.

    Without an hour, or during that hour, this is `since` itself: a reader who prefers 9:00 gets an
    issue whose snapshot was taken at 9:00:20 at once, not a day later. An hour that the clock
    skips is treated as in `editorial.schedule`: 02:00 becomes 03:00.
    """
    local = since.astimezone(ZoneInfo(zone))
    if hour is None or local.hour == hour:
        return since
    days = (local.date(), local.date() + timedelta(days=1))
    candidates = (
        datetime.combine(day, time(hour), tzinfo=ZoneInfo(zone)).astimezone(UTC) for day in days
    )
    return next(moment for moment in candidates if moment >= since)


def prepare(mailing_id: int, *, now: datetime | None = None) -> Mailing:
    """Take the snapshot of a mailing that is being prepared. A second call changes nothing.

    A mailing that can't be rendered or compiled is held. One whose readers keep changing is still
    *preparing* afterwards, and the next tick tries again.
    """
    at = now or timezone.now()
    mailing = Mailing.objects.select_related("release__newsletter", "release__issue").get(
        pk=mailing_id
    )
    for attempt in range(ATTEMPTS):
        if mailing.state != Mailing.State.PREPARING:
            break
        try:
            due = _take_snapshot(mailing, *_draft(mailing, at))
            # Nobody may be left to send to.
            protocol.finish_mailing(mailing.pk)
            wake_ups.wake_batches(due)
        except AudienceChangedError:
            log.info("audience-changed", extra={"mailing": mailing_id, "attempt": attempt})
        except StoppedError:
            log.info("stopped-while-preparing", extra={"mailing": mailing_id})
        except NotApprovedError as error:
            _hold(mailing, error.hold)
        except (RenderError, CompileError) as error:
            _hold(mailing, Mailing.Hold.UNRENDERABLE, str(error))
        mailing.refresh_from_db()
    return mailing


def _hold(mailing: Mailing, reason: Mailing.Hold, detail: str = "") -> None:
    Mailing.objects.filter(pk=mailing.pk, state=Mailing.State.PREPARING).update(
        state=Mailing.State.HELD, hold=reason, hold_detail=detail[:300]
    )
    log.warning("hold", extra={"mailing": mailing.pk, "reason": reason})


def _draft(mailing: Mailing, at: datetime) -> tuple[Editions, str]:
    """Render the editions that the mailing's readers need, and check that they can be sent.

    Returns them with the digest of the approved issue; "" if it needs no approval.
    """
    newsletter = mailing.release.newsletter
    # Every way of sending comes through here: the desk, a command, the schedule, a task by hand.
    if mailing.release.issue is not None and (
        error := checks.first_error(mailing.release.issue, at=at)
    ):
        raise RenderError(error)
    _tell(mailing, step="content")
    contents, digest = approved_content(mailing.release, at=at)
    found = segments(newsletter, _frequency_of(mailing.release))
    wanted = [segment for segment, _ in found if _includes(mailing, segment)]
    editions = draft_editions(
        mailing,
        _told(mailing, wanted),
        newsletter,
        issue=contents,
        at=at,
    )
    # Compiled now, because an edition that can't be sent must not get into a snapshot.
    transport = transports.preferred()
    for edition in editions.drafts.values():
        transport.compile(build_email(edition))
    _tell(mailing, step="readers")
    return editions, digest


def _told(mailing: Mailing, wanted: list[Segment]) -> Iterator[Segment]:
    """Yield the segments whose editions are rendered; say at most once a second how far it is."""
    told = 0.0
    for done, segment in enumerate(wanted):
        if monotonic() - told >= 1:
            told = monotonic()
            _tell(mailing, step="editions", done=done, of=len(wanted))
        yield segment


def _tell(mailing: Mailing, **progress: str | int) -> None:
    """Store the step for the mailing's page. It decides nothing."""
    Mailing.objects.filter(pk=mailing.pk, state=Mailing.State.PREPARING).update(progress=progress)


@dataclass
class _Taken:
    """What a snapshot has taken so far."""

    at: datetime
    readers: int = 0
    checksum: int = 0


@transaction.atomic
def _take_snapshot(mailing: Mailing, editions: Editions, digest: str) -> list[int]:
    """Return the IDs of the batches that are due at once.

    Raises AudienceChangedError, NotApprovedError and StoppedError; then nothing is taken.
    """
    Release.objects.select_for_update().get(pk=mailing.release_id)
    if not Mailing.objects.filter(pk=mailing.pk, state=Mailing.State.PREPARING).exists():
        return []
    Edition.objects.bulk_create(editions.drafts.values())
    mark_as_sent(editions.shown)
    taken = _Taken(protocol.database_now())
    batches, due = 0, []
    # A few at a time, to limit memory.
    unsaved = _cut_batches(mailing, editions, taken)
    while saved := Batch.objects.bulk_create(list(islice(unsaved, INSERT_SIZE))):
        batches += len(saved)
        due += [batch.pk for batch in saved if batch.due_at == taken.at]
    if mailing.audience == Audience.IN_DOUBT:
        _supersede_unknowns(mailing)
    # Last, because the desk's changes wait from here to the commit.
    check_still_approved(mailing.release, digest)
    started = Mailing.objects.filter(pk=mailing.pk, state=Mailing.State.PREPARING).update(
        state=Mailing.State.SENDING,
        snapshot_at=taken.at,
        readers=taken.readers,
        checksum=taken.checksum,
        progress={},
    )
    if not started:
        raise StoppedError
    counts = {"readers": taken.readers, "editions": len(editions.drafts), "batches": batches}
    log.info("snapshot", extra={"mailing": mailing.pk, **counts})
    return due


def _cut_batches(mailing: Mailing, editions: Editions, taken: _Taken) -> Iterator[Batch]:
    """Take the readers; yield an unsaved batch for each portion that has an edition."""
    zone = mailing.release.newsletter.timezone
    for segment, hour, candidates in _portions(mailing):
        if segment not in editions.by_segment:
            raise AudienceChangedError
        reader_ids = _take(mailing, candidates)
        taken.readers += len(reader_ids)
        taken.checksum = (taken.checksum + checksum(reader_ids)) % MODULUS
        key = editions.by_segment[segment]
        if key is None:
            skipped = [OutcomeRow(reader, Result.SKIPPED) for reader in reader_ids]
            ledger.insert_outcomes(
                mailing.pk, skipped, source=Outcome.Source.PLANNER, batch_id=None
            )
        elif reader_ids:
            due = due_at(hour, zone=zone, since=taken.at)
            yield new_batch(editions.drafts[key], reader_ids, due_at=due)


def _take(mailing: Mailing, reader_ids: list[int]) -> list[int]:
    """Make the readers recipients of this mailing, and return those whom its audience includes.

    ReleaseRecipient has one row per reader and release, so two mailings of a release never send to
    the same reader. To send again, the statement that checks the reader's last outcome moves the
    row to this mailing.
    """
    after = last_outcomes(mailing.audience)
    if not after:
        return ledger.add_recipients(mailing.release_id, mailing.pk, reader_ids)
    return ledger.move_recipients(mailing.release_id, mailing.pk, reader_ids, after=after)


def _supersede_unknowns(mailing: Mailing) -> None:
    """Record the readers' earlier *unknown* outcomes as failed: only the new outcome counts."""
    recipients = ReleaseRecipient.objects.filter(mailing_id=mailing.pk).values("subscriber_id")
    earlier = mailing.release.mailings.exclude(pk=mailing.pk).values("pk")
    which = Q(mailing_id__in=earlier, subscriber_id__in=recipients)
    ledger.settle_unknown(which, Result.FAILED, source=Outcome.Source.OPERATOR)


def _includes(mailing: Mailing, segment: Segment) -> bool:
    """Return whether the mailing is for this segment's first language."""
    return mailing.language in {"", segment.languages[0]}


def _frequency_of(release: Release) -> Frequency:
    return Frequency.MONTHLY if release.kind == Release.Kind.MONTHLY else Frequency.WEEKLY


def _portions(mailing: Mailing) -> Iterator[tuple[Segment, int | None, list[int]]]:
    """Yield the mailing's readers, at most a batch at a time, by segment and preferred hour."""
    readers = stream(mailing.release.newsletter, _frequency_of(mailing.release))
    for (segment, hour), rows in groupby(readers, key=itemgetter(0, 1)):
        if not _includes(mailing, segment):
            continue
        reader_ids = (reader for _, _, reader in rows)
        while portion := list(islice(reader_ids, settings.SEND_BATCH_SIZE)):
            yield segment, hour, portion


def new_batch(edition: Edition, reader_ids: list[int], *, due_at: datetime) -> Batch:
    """Return an unsaved batch of the edition for these readers."""
    return Batch(
        mailing_id=edition.mailing_id,
        edition=edition,
        reader_ids=pack(reader_ids),
        size=len(reader_ids),
        due_at=due_at,
        give_up_at=due_at + timedelta(hours=settings.SEND_GIVE_UP_HOURS),
    )
