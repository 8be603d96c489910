"""Take a mailing's snapshot: decide, once and for good, what is sent and to whom.

Editions are rendered and checked first, outside any transaction. Then one transaction, serialised
by the release's row, adds the release recipients, cuts batches and stores the count and the
checksum. If it meets a segment that has no edition, because a reader changed preferences in the
meantime, everything is rolled back and starts over.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby, islice
from operator import itemgetter

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from newsletter.delivery.models import Batch, Edition, Mailing, Outcome, Release, ReleaseRecipient
from newsletter.delivery.planning import release_content
from newsletter.delivery.planning.audiences import Audience, includes, last_outcomes
from newsletter.delivery.planning.delivery_hour import due_at
from newsletter.delivery.planning.editions import Editions, draft_editions
from newsletter.delivery.sending import ledger, protocol, transports
from newsletter.delivery.sending.messages import build_email
from newsletter.delivery.sending.packing import MODULUS, checksum, pack
from newsletter.delivery.sending.settlement import OutcomeRow
from newsletter.digest.content import RenderError
from newsletter.editorial.content import newsletter_content
from newsletter.lib.queue import wake
from newsletter.transport.base import CompileError
from newsletter.transport.outcomes import Result
from subscribers.audience import Frequency, Segment, segments, stream

log = logging.getLogger(__name__)
ATTEMPTS = 5
WAKE_UPS = 100
"""How many batches a snapshot or a tick wakes workers for: each worker then takes whatever is due,
so a few wake-ups are enough."""
INSERT_SIZE = 20
"""How many batches are written at a time."""


class AudienceChangedError(Exception):
    """A reader now belongs to a segment for which no edition was rendered."""


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
            editions = _draft(mailing, at)
            due = _take_snapshot(mailing, editions)
            # Nobody may be left to send to.
            protocol.finish_mailing(mailing.pk)
            wake_batches(due)
        except AudienceChangedError:
            log.info("audience-changed", extra={"mailing": mailing_id, "attempt": attempt})
        except (RenderError, CompileError) as error:
            _hold_unrenderable(mailing, detail=str(error)[:300])
        mailing.refresh_from_db()
    return mailing


def _hold_unrenderable(mailing: Mailing, *, detail: str) -> None:
    reason = Mailing.Hold.UNRENDERABLE
    Mailing.objects.filter(pk=mailing.pk, state=Mailing.State.PREPARING).update(
        state=Mailing.State.HELD, hold=reason, hold_detail=detail
    )
    log.warning("hold", extra={"mailing": mailing.pk, "reason": reason})


def _draft(mailing: Mailing, at: datetime) -> Editions:
    """Render the editions that the mailing's readers need, and check that they can be sent."""
    newsletter = mailing.release.newsletter
    found = segments(newsletter, _frequency_of(mailing.release))
    editions = draft_editions(
        mailing,
        [each for each, _ in found if includes(each, first_language=mailing.language)],
        newsletter,
        branding=newsletter_content(newsletter),
        issue=release_content.content_of(mailing.release, at=at),
        today=newsletter.local_date(at),
    )
    # Compiled now, because an edition that can't be sent must not get into a snapshot.
    transport = transports.preferred()
    for edition in editions.drafts.values():
        transport.compile(build_email(edition))
    return editions


@dataclass
class _Progress:
    """What a snapshot has taken so far. It saves a few batches at a time to limit memory."""

    taken_at: datetime
    readers: int = 0
    checksum: int = 0
    batches: int = 0
    due_batch_ids: list[int] = field(default_factory=list)
    """The first WAKE_UPS batches that are due at once."""
    _unsaved: list[Batch] = field(default_factory=list)

    def count(self, reader_ids: list[int]) -> None:
        self.readers += len(reader_ids)
        self.checksum = (self.checksum + checksum(reader_ids)) % MODULUS

    def add(self, batch: Batch) -> None:
        self._unsaved.append(batch)
        if len(self._unsaved) == INSERT_SIZE:
            self.save()

    def save(self) -> None:
        saved = Batch.objects.bulk_create(self._unsaved)
        self.batches += len(saved)
        due = [batch.pk for batch in saved if batch.due_at == self.taken_at]
        self.due_batch_ids += due[: WAKE_UPS - len(self.due_batch_ids)]
        self._unsaved = []


@transaction.atomic
def _take_snapshot(mailing: Mailing, editions: Editions) -> list[int]:
    """Return the IDs of the first batches that are due at once.

    Raises AudienceChangedError.
    """
    Release.objects.select_for_update().get(pk=mailing.release_id)
    if not Mailing.objects.filter(pk=mailing.pk, state=Mailing.State.PREPARING).exists():
        return []
    Edition.objects.bulk_create(editions.drafts.values())
    saved = {edition.key: edition for edition in mailing.editions.all()}
    progress = _Progress(taken_at=protocol.database_now())
    for segment, hour, candidates in _portions(mailing):
        if segment not in editions.by_segment:
            raise AudienceChangedError
        reader_ids = _take(mailing, candidates)
        progress.count(reader_ids)
        key = editions.by_segment[segment]
        if key is None:
            skipped = [OutcomeRow(reader, Result.SKIPPED) for reader in reader_ids]
            ledger.insert_outcomes(
                mailing.pk, skipped, source=Outcome.Source.PLANNER, batch_id=None
            )
        elif reader_ids:
            zone = mailing.release.newsletter.timezone
            due = due_at(hour, zone=zone, since=progress.taken_at)
            progress.add(new_batch(saved[key], reader_ids, due_at=due))
    progress.save()
    if mailing.audience == Audience.IN_DOUBT:
        _supersede_unknowns(mailing)
    Mailing.objects.filter(pk=mailing.pk).update(
        state=Mailing.State.SENDING,
        snapshot_at=progress.taken_at,
        readers=progress.readers,
        checksum=progress.checksum,
    )
    counts = {"readers": progress.readers, "editions": len(saved), "batches": progress.batches}
    log.info("snapshot", extra={"mailing": mailing.pk, **counts})
    return progress.due_batch_ids


def _take(mailing: Mailing, reader_ids: list[int]) -> list[int]:
    """Make the readers recipients of this mailing, and return those whom its audience includes."""
    after = last_outcomes(mailing.audience)
    if not after:
        return ledger.add_recipients(mailing.release_id, mailing.pk, reader_ids)
    return ledger.move_recipients(mailing.release_id, mailing.pk, reader_ids, after=after)


def _supersede_unknowns(mailing: Mailing) -> None:
    """Record the readers' earlier *unknown* outcomes as failed: only the new outcome counts."""
    recipients = ReleaseRecipient.objects.filter(mailing_id=mailing.pk).values("subscriber_id")
    earlier = mailing.release.mailings.exclude(pk=mailing.pk).values("pk")
    Outcome.objects.filter(
        mailing_id__in=earlier, subscriber_id__in=recipients, result=Result.UNKNOWN
    ).update(result=Result.FAILED, source=Outcome.Source.OPERATOR)


def _frequency_of(release: Release) -> Frequency:
    return Frequency.MONTHLY if release.kind == Release.Kind.MONTHLY else Frequency.WEEKLY


def _portions(mailing: Mailing) -> Iterator[tuple[Segment, int | None, list[int]]]:
    """Yield the mailing's readers, at most a batch at a time, by segment and preferred hour."""
    readers = stream(mailing.release.newsletter, _frequency_of(mailing.release))
    for (segment, hour), rows in groupby(readers, key=itemgetter(0, 1)):
        if not includes(segment, first_language=mailing.language):
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


def wake_batches(batch_ids: list[int]) -> int:
    """Wake a worker for each batch, until the broker can't be reached; return for how many."""
    woken = 0
    for batch_id in batch_ids:
        if not wake("delivery.send", batch_id):
            break
        woken += 1
    return woken
