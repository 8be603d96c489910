"""Claim → permit → finish: how a batch is sent without losing a reader or sending twice.

A batch goes OPEN → CLAIMED → CLOSED. A worker moves it with three operations:

1. `claim` takes an OPEN batch that is due. One conditional UPDATE increments the batch's *fence*
   and sets a *lease*, so if several workers try, exactly one gets the batch.
2. `permit` allows the worker to hand over readers up to a position, the *intent*. It also stores
   the results so far and renews the lease. Nothing may be handed over before it has committed.
   The worker calls it again for each window of readers. Every reason to stop is checked in this
   one UPDATE: the mailing was paused or cancelled, the kill switch is on, the lease ran out, or
   another worker has claimed the batch since (its fence is newer).
3. `finish` records the outcomes, puts the readers to try again into one successor batch, and
   closes this one, all in a single transaction. Every claimed batch ends this way, however its
   worker stopped; once the lease of a worker that died has run out, `finish_lost` does it.

Between permission and hand-over, the worker reads each reader's subscription a second time (see
newsletter.delivery.sending.sender). Leases and due times follow the database's clock only, never a
worker's.

What a crash leaves behind:

* Before `permit` commits, nothing of that window was handed over: its readers are tried again.
* After `permit` commits, until the next `permit` or `finish` stores the results, each permitted
  reader without a stored result is *unknown*. The message may have arrived, so the reader is
  neither dropped nor sent to again automatically.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import sleep
from typing import TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now

from newsletter.delivery.models import Batch, KillSwitch, Mailing, Outcome
from newsletter.delivery.sending import ledger
from newsletter.delivery.sending.batches import ReplyCodes, Settlement, pack, settle, unpack
from newsletter.lib import prepared_statements, processes
from newsletter.transport.decisions import backoff
from newsletter.transport.outcomes import Result

log = logging.getLogger(__name__)
T = TypeVar("T")
_UNSETTLED = {Result.NONE, Result.DEFERRED}
RECONNECT_DELAYS = (0.1, 0.4, 1.0, 2.0, 3.0)
"""Seconds to wait between attempts: together about as long as a restart of the database."""


@dataclass(frozen=True)
class Claim:
    """A claimed batch. The claim is valid as long as its `fence` is the batch's newest."""

    batch_id: int
    fence: int
    mailing_id: int
    newsletter_id: int
    edition_id: int
    round: int
    readers: list[int]


def _may_send() -> Q:
    """Match batches whose mailing is being sent while the kill switch is off."""
    sending = Mailing.objects.filter(pk=OuterRef("mailing_id"), state=Mailing.State.SENDING)
    return Q(Exists(sending)) & ~Q(Exists(KillSwitch.objects.filter(engaged=True)))


def lease() -> timedelta:
    """Return how long a claim or a permission lasts."""
    return timedelta(seconds=settings.SEND_LEASE_SECONDS)


def due_batches(limit: int) -> list[int]:
    """Return the IDs of batches that may be claimed now, the longest overdue first."""
    due = Batch.objects.filter(_may_send(), state=Batch.State.OPEN, due_at__lte=Now())
    return list(due.order_by("due_at", "pk").values_list("pk", flat=True)[:limit])


def claim(batch_id: int) -> Claim | None:
    """Claim a batch for this worker; None if it isn't open or due, or may not be sent now."""
    # SQLite holds its lock until all rows of RETURNING are fetched, so commit after that.
    with transaction.atomic(), prepared_statements.cursor() as cursor:
        cursor.execute(
            _CLAIM[connection.vendor],
            {
                "batch": batch_id,
                "lease": settings.SEND_LEASE_SECONDS,
                "holder": processes.own_id(),
            },
        )
        rows = cursor.fetchall()
    if not rows:
        return None
    fence, mailing_id, newsletter_id, edition_id, round_, readers = rows[0]
    return Claim(
        batch_id, fence, mailing_id, newsletter_id, edition_id, round_, readers=unpack(readers)
    )


def permit(
    claim: Claim,
    *,
    upto: int,
    results: bytes,
    replies: Mapping[int, ReplyCodes],
    transport: str = "",
) -> bool:
    """Get permission to hand over the positions below `upto`; it has committed on return.

    Also stores the results and replies so far and the transport, and renews the lease. Returns
    False if the worker must stop and hand over nothing more.
    """
    with prepared_statements.cursor() as cursor:
        cursor.execute(
            _PERMIT[connection.vendor],
            {
                "intent": upto,
                "results": results,
                "replies": json.dumps({str(at): list(reply) for at, reply in replies.items()}),
                "lease": settings.SEND_LEASE_SECONDS,
                "transport": transport,
                "batch": claim.batch_id,
                "fence": claim.fence,
            },
        )
        return bool(cursor.rowcount == 1)


# The statements that a worker runs constantly are written in SQL: the ORM takes ten times as long
# to build them as the database takes to run them.
_MAY_SEND = """
    EXISTS (SELECT 1 FROM delivery_mailing AS mailing
            WHERE mailing.id = delivery_batch.mailing_id AND mailing.state = 'sending')
    AND NOT EXISTS (SELECT 1 FROM delivery_killswitch WHERE engaged)"""
_CLOCK = {
    "postgresql": {
        "now": "statement_timestamp()",
        "until": "statement_timestamp() + make_interval(secs => %(lease)s)",
    },
    "sqlite": {
        "now": "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now')",
        "until": "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', %(lease)s || ' seconds')",
    },
}
_CLAIM, _PERMIT, _FINISH_MAILING = (
    {
        vendor: statement.strip().format(may_send=_MAY_SEND, **clock)
        for vendor, clock in _CLOCK.items()
    }
    for statement in (
        """
    UPDATE delivery_batch SET state = 'claimed', fence = fence + 1, lease_until = {until},
        claimed_by = %(holder)s
    WHERE id = %(batch)s AND state = 'open' AND due_at <= {now} AND {may_send}
    RETURNING fence, mailing_id, (
        SELECT release.newsletter_id FROM delivery_mailing AS mailing
        JOIN delivery_release AS release ON release.id = mailing.release_id
        WHERE mailing.id = delivery_batch.mailing_id
    ), edition_id, round, reader_ids""",
        """
    UPDATE delivery_batch
    SET intent = %(intent)s, results = %(results)s, replies = %(replies)s,
        transport = %(transport)s, lease_until = {until}
    WHERE id = %(batch)s AND fence = %(fence)s AND state = 'claimed' AND lease_until > {now}
    AND {may_send}""",
        """
    UPDATE delivery_mailing SET state = 'finished', finished_at = {now}
    WHERE id = %(mailing)s AND state = 'sending'
    AND NOT EXISTS (SELECT 1 FROM delivery_batch AS batch
                    WHERE batch.mailing_id = delivery_mailing.id
                    AND batch.state IN ('open', 'claimed'))""",
    )
)


def finish(
    claim: Claim,
    *,
    results: bytes,
    replies: Mapping[int, ReplyCodes],
    due_in: timedelta = timedelta(0),
    reason: str = "",
    too_fast: bool = False,
) -> Settlement | None:
    """Close a batch whose worker is alive and knows every result.

    Readers without a result were not handed over; they go into a successor that is due after
    `due_in`. `reason` tells editors why they wait, and names no reader. If they wait because we
    were `too_fast`, or because a limit is used up, it doesn't count as an attempt: the round stays
    the same, and the time to give up moves on by as long as they wait. Returns None if the batch
    doesn't belong to the caller any more.
    """
    mine = Q(pk=claim.batch_id, fence=claim.fence, state=Batch.State.CLAIMED)
    known = results, replies
    return retry_on_lost_connection(
        lambda: _finish(mine, known, due_in=due_in, reason=reason, too_fast=too_fast)
    )


def finish_lost(batch_id: int) -> Settlement | None:
    """Close a batch whose lease ran out, using only what is stored of it.

    Permitted readers without a stored result become unknown. If a peer deferred any reader, the
    successor waits as long as it would have after a worker that survived.
    """
    lost = Q(pk=batch_id, lease_until__lte=Now(), state=Batch.State.CLAIMED)
    return _finish(lost, known=None, source=Outcome.Source.RESCUE)


def finish_cancelled(batch_id: int) -> Settlement | None:
    """Close an open batch of a cancelled mailing: its readers are skipped."""
    unsent = Q(pk=batch_id, state=Batch.State.OPEN, mailing__state=Mailing.State.CANCELLED)
    return _finish(unsent, known=(b"", {}), source=Outcome.Source.OPERATOR)


def retry_on_lost_connection(update: Callable[[], T]) -> T:
    """Return what `update` returns, running it again if the database connection is lost.

    If the connection is lost during COMMIT, the commit may or may not have happened. The next
    attempt finds out: a row that was already finished is no longer claimed under this fence, so
    nothing is done twice.
    """
    for seconds in RECONNECT_DELAYS:
        try:
            return update()
        except (OperationalError, InterfaceError):
            connection.close()
            sleep(seconds)
    return update()


@transaction.atomic
def _finish(
    which: Q,
    known: tuple[bytes, Mapping[int, ReplyCodes]] | None,
    *,
    source: Outcome.Source = Outcome.Source.SENDER,
    due_in: timedelta = timedelta(0),
    reason: str = "",
    too_fast: bool = False,
) -> Settlement | None:
    """Lock the batch, record the outcomes, create the successor and close the batch."""
    locked = Batch.objects.select_for_update(of=("self",)).select_related("mailing")
    batch = locked.filter(which).first()
    if batch is None:
        return None
    stored = {int(position): ReplyCodes(*reply) for position, reply in batch.replies.items()}
    results, replies = known or (bytes(batch.results), stored)
    settled = settle(
        unpack(batch.reader_ids),
        results,
        replies,
        unknown_below=0 if known else batch.intent,
        rest_becomes=_final_result(batch)
        if _UNSETTLED & set(results.ljust(batch.size, b"\0"))
        else None,
    )
    if known is None and settled.deferred:
        due_in = timedelta(seconds=backoff(batch.round + 1, settings.SEND_RETRY_SECONDS))
    ledger.insert_outcomes(batch.mailing_id, settled.outcomes, source=source, batch_id=batch.pk)
    if settled.to_retry:
        _create_successor(batch, settled, due_in, reason, too_fast=too_fast)
    Batch.objects.filter(pk=batch.pk).update(
        state=Batch.State.CLOSED, results=settled.results, lease_until=None, fence=F("fence") + 1
    )
    facts = {"batch": batch.pk, "recorded": len(settled.outcomes), "again": len(settled.to_retry)}
    log.info("finish", extra={**facts, "source": source.value})
    return settled


def _final_result(batch: Batch) -> Result | None:
    """Return the outcome for readers not handed over, or None if they are to be tried again."""
    if batch.mailing.state == Mailing.State.CANCELLED:
        return Result.SKIPPED
    if batch.give_up_at is not None and batch.give_up_at <= database_now():
        return Result.FAILED
    return None


def _create_successor(
    batch: Batch, settled: Settlement, due_in: timedelta, reason: str, *, too_fast: bool
) -> None:
    another_round = batch.round + (1 if settled.deferred or due_in else 0)
    give_up_at = batch.give_up_at
    if too_fast and give_up_at is not None:
        give_up_at += due_in
    code, status, _fault = settled.common_deferral
    Batch.objects.create(
        mailing_id=batch.mailing_id,
        edition_id=batch.edition_id,
        reader_ids=pack(settled.to_retry),
        size=len(settled.to_retry),
        due_at=database_now() + due_in,
        give_up_at=give_up_at,
        round=max(batch.round, 1) if too_fast else another_round,
        deferred_by=(reason or f"{code or ''} {status}".strip())[:200],
        predecessor=batch,
    )


def database_now() -> datetime:
    """Return the time by the database's clock, the only one that leases and due times follow."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT clock_timestamp()"
            if connection.vendor == "postgresql"
            else "SELECT strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')"
        )
        value = cursor.fetchone()[0]
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def hold(mailing_id: int, facts: Mapping[str, object]) -> bool:
    """Hold a mailing because the relay or provider refuses everybody; return whether it was sent.

    `facts` say why: the transport, fault, code, status and number of readers. No permission is
    given any more once this has committed.
    """
    held = Mailing.objects.filter(pk=mailing_id, state=Mailing.State.SENDING).update(
        state=Mailing.State.PAUSED, hold=Mailing.Hold.REFUSED, hold_facts=dict(facts)
    )
    if held:
        log.error("mailing-held", extra={"mailing": mailing_id, **facts})
    return bool(held)


def finish_mailing(mailing_id: int) -> bool:
    """Mark a mailing finished if all its batches are closed; return whether this call did so."""
    with prepared_statements.cursor() as cursor:
        cursor.execute(_FINISH_MAILING[connection.vendor], {"mailing": mailing_id})
        return bool(cursor.rowcount == 1)
