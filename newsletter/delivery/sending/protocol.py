"""Claim, permission and finish: the three updates on which everything rests.

A batch goes OPEN → CLAIMED → CLOSED. Each is one conditional UPDATE with the database's clock:

* `claim` raises the fence and sets a lease: of all who try, one gets the batch.
* `permit` is the only permission to send. It stores the results so far and how far may be sent
  now, and commits before anything is handed over. Pause, cancel, a frozen site, a lost lease and
  a worker that wakes from the dead all meet this one point.
* `finish` records the outcomes, puts the rest into one successor and closes the batch, in one
  transaction. It is the same for every way in which a batch can end.

Crash windows: before `permit` commits, nothing was handed over (retry). After it and before the
next `permit` or `finish`, each permitted reader without a stored result is *unknown*: never
dropped, never sent again by itself.
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
from newsletter.delivery.sending.packing import pack, unpack
from newsletter.delivery.sending.settlement import ReplyCodes, Settlement, settle
from newsletter.lib import prepared_statements
from newsletter.transport.decisions import backoff
from newsletter.transport.outcomes import Result

log = logging.getLogger(__name__)
T = TypeVar("T")
_UNSETTLED = {Result.NONE, Result.DEFERRED}
RECONNECT_DELAYS = (0.1, 0.4, 1.0, 2.0, 3.0)
"""Seconds before a batch is finished again: a restart of the database takes about as long."""


@dataclass(frozen=True)
class Claim:
    """A worker's hold on a batch; valid as long as `fence` is the newest."""

    batch_id: int
    fence: int
    mailing_id: int
    newsletter_id: int
    edition_id: int
    round: int
    readers: list[int]


def _may_send() -> Q:
    """That the batch's mailing is sending and the site is not frozen."""
    sending = Mailing.objects.filter(pk=OuterRef("mailing_id"), state=Mailing.State.SENDING)
    return Q(Exists(sending)) & ~Q(Exists(KillSwitch.objects.filter(engaged=True)))


def lease() -> timedelta:
    return timedelta(seconds=settings.SEND_LEASE_SECONDS)


def due_batches(limit: int) -> list[int]:
    """Ids of batches that may be claimed now, the longest due first."""
    due = Batch.objects.filter(_may_send(), state=Batch.State.OPEN, due_at__lte=Now())
    return list(due.order_by("due_at", "pk").values_list("pk", flat=True)[:limit])


def claim(batch_id: int) -> Claim | None:
    """Take the batch, or None where it is not due, not open, or may not be sent."""
    # SQLite holds its lock until what RETURNING gives is fetched: the commit comes after that.
    with transaction.atomic(), prepared_statements.cursor() as cursor:
        cursor.execute(
            _CLAIM[connection.vendor], {"batch": batch_id, "lease": settings.SEND_LEASE_SECONDS}
        )
        rows = cursor.fetchall()
    if not rows:
        return None
    fence, mailing_id, newsletter_id, edition_id, round_, readers = rows[0]
    return Claim(
        batch_id, fence, mailing_id, newsletter_id, edition_id, round_, readers=unpack(readers)
    )


def permit(held: Claim, *, upto: int, results: bytes, replies: Mapping[int, ReplyCodes]) -> bool:
    """Permission to hand over the positions below `upto`, committed when this returns True.

    False: stop, and hand over nothing more.
    """
    with prepared_statements.cursor() as cursor:
        cursor.execute(
            _PERMIT[connection.vendor],
            {
                "intent": upto,
                "results": results,
                "replies": json.dumps({str(at): list(reply) for at, reply in replies.items()}),
                "lease": settings.SEND_LEASE_SECONDS,
                "batch": held.batch_id,
                "fence": held.fence,
            },
        )
        return bool(cursor.rowcount == 1)


# The statements that a worker runs all the time are in SQL: to build them with the ORM takes ten
# times what the database takes to run them.
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
    UPDATE delivery_batch SET state = 'claimed', fence = fence + 1, lease_until = {until}
    WHERE id = %(batch)s AND state = 'open' AND due_at <= {now} AND {may_send}
    RETURNING fence, mailing_id, (
        SELECT release.newsletter_id FROM delivery_mailing AS mailing
        JOIN delivery_release AS release ON release.id = mailing.release_id
        WHERE mailing.id = delivery_batch.mailing_id
    ), edition_id, round, reader_ids""",
        """
    UPDATE delivery_batch
    SET intent = %(intent)s, results = %(results)s, replies = %(replies)s, lease_until = {until}
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
    held: Claim,
    *,
    results: bytes,
    replies: Mapping[int, ReplyCodes],
    source: Outcome.Source = Outcome.Source.SENDER,
    due_in: timedelta = timedelta(0),
    why: str = "",
) -> Settlement | None:
    """End a batch of which the caller knows everything; None where it is no longer the caller's.

    What has no result was not handed over, and goes on in a successor due after `due_in`; `why`
    tells editors what it waits for, and names no reader.
    """
    return retry_on_lost_connection(
        lambda: _finish(
            Q(pk=held.batch_id, fence=held.fence),
            known=(results, replies),
            source=source,
            due_in=due_in,
            why=why,
        )
    )


def finish_lost(batch_id: int) -> Settlement | None:
    """End a batch whose worker's lease ran out, from what is stored of it.

    As after a living one, the rest waits where a peer asked to wait for any of them.
    """
    return _finish(Q(pk=batch_id, lease_until__lte=Now()), known=None, source=Outcome.Source.RESCUE)


def retry_on_lost_connection(finish: Callable[[], T]) -> T:
    """Run `finish`, again where the database went away in it.

    A connection lost during COMMIT leaves open whether it happened. The next attempt reads it:
    what has ended is no longer CLAIMED under the fence, and nothing is done twice.
    """
    for seconds in RECONNECT_DELAYS:
        try:
            return finish()
        except (OperationalError, InterfaceError):
            connection.close()
            sleep(seconds)
    return finish()


@transaction.atomic
def _finish(
    which: Q,
    *,
    known: tuple[bytes, Mapping[int, ReplyCodes]] | None,
    source: Outcome.Source,
    due_in: timedelta = timedelta(0),
    why: str = "",
) -> Settlement | None:
    batch = (
        Batch.objects.select_for_update(of=("self",))
        .select_related("mailing")
        .filter(which, state=Batch.State.CLAIMED)
        .first()
    )
    if batch is None:
        return None
    results, replies = known or (bytes(batch.results), parse_replies(batch))
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
    return close(batch, settled, source=source, due_in=due_in, why=why)


def close(
    batch: Batch,
    settled: Settlement,
    *,
    source: Outcome.Source,
    due_in: timedelta = timedelta(0),
    why: str = "",
) -> Settlement:
    """Record and close, inside the caller's transaction, which holds the batch's row."""
    ledger.insert_outcomes(batch.mailing_id, settled.lines, source=source, batch_id=batch.pk)
    if settled.again:
        _create_successor(batch, settled, due_in, why or _describe_reply(settled.asked))
    Batch.objects.filter(pk=batch.pk).update(
        state=Batch.State.CLOSED, results=settled.results, lease_until=None, fence=F("fence") + 1
    )
    facts = {"batch": batch.pk, "recorded": len(settled.lines), "again": len(settled.again)}
    log.info("finish", extra={**facts, "source": source.value})
    return settled


def _final_result(batch: Batch) -> Result | None:
    """What ends readers who were not handed over, where they are not to be tried again."""
    if batch.mailing.state == Mailing.State.CANCELLED:
        return Result.SKIPPED
    if batch.give_up_at is not None and batch.give_up_at <= database_now():
        return Result.FAILED
    return None


def _describe_reply(reply: ReplyCodes) -> str:
    code, status = reply
    return f"{code or ''} {status}".strip()


def _create_successor(batch: Batch, settled: Settlement, due_in: timedelta, why: str) -> None:
    Batch.objects.create(
        mailing_id=batch.mailing_id,
        edition_id=batch.edition_id,
        reader_ids=pack(settled.again),
        size=len(settled.again),
        due_at=database_now() + due_in,
        give_up_at=batch.give_up_at,
        round=batch.round + (1 if settled.deferred or due_in else 0),
        deferred_by=why[:200],
        predecessor=batch,
    )


def parse_replies(batch: Batch) -> dict[int, ReplyCodes]:
    return {int(position): (code, status) for position, (code, status) in batch.replies.items()}


def database_now() -> datetime:
    """The database's clock: the only one by which leases and due times are compared."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT clock_timestamp()"
            if connection.vendor == "postgresql"
            else "SELECT strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')"
        )
        value = cursor.fetchone()[0]
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def finish_mailing(mailing_id: int) -> bool:
    """Mark a mailing finished once none of its batches is open; True if this did it."""
    with prepared_statements.cursor() as cursor:
        cursor.execute(_FINISH_MAILING[connection.vendor], {"mailing": mailing_id})
        return bool(cursor.rowcount == 1)
