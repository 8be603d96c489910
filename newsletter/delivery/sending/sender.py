"""Send one batch: claim it; permit, read again and hand over each window; finish.

P1 and P2 depend on the order within a window. First the permission commits, then the readers'
subscriptions are read a second time, then the messages are handed over. So every message that was
handed over lies below the batch's stored intent, and an unsubscription that was confirmed before
the second read is obeyed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import chain
from time import monotonic
from typing import TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction

from newsletter.delivery import signals
from newsletter.delivery.models import Edition
from newsletter.delivery.sending import protocol, transports
from newsletter.delivery.sending.batches import Settlement
from newsletter.delivery.sending.messages import build_email, recipient_factory
from newsletter.delivery.sending.progress import (
    BatchProgress,
    commit_latency,
    deferral_reason,
    delay_for_the_rest,
    is_too_fast,
    judge,
)
from newsletter.delivery.sending.provider_messages import store_provider_messages
from newsletter.transport.base import Transport
from newsletter.transport.outcomes import (
    Recipient,
    Result,
    SendResult,
    TransportDownError,
)
from subscribers import audience
from subscribers.crypto.sealing import SealedError

log = logging.getLogger(__name__)
C = TypeVar("C")


def send_batch(batch_id: int, *, stop: Callable[[], bool] = lambda: False) -> bool:
    """Send as much of a batch as may be sent; return False if it couldn't be claimed, or if no
    transport can be used now.

    `stop` is called before each window and each message. Once it returns True, readers whose
    message wasn't started go back into the queue at once.
    """
    if stop():
        return False
    # Chosen first: if the database were lost between the claim and this, the lease would have to
    # run out before anyone could go on.
    transport = transports.available()
    if transport is None:
        return False
    claim = protocol.claim(batch_id)
    if claim is None:
        transports.give_back(transport)
        return False
    progress = BatchProgress(claim, transport)
    try:
        _send_windows(progress, stop)
    except TransportDownError as down:
        progress.down = down
        facts = {"batch": batch_id, "transport": progress.transport.name, "reason": down.reason}
        log.warning("transport-down", extra=facts)
    except (OperationalError, InterfaceError) as error:
        # The database is used only before a window is handed over, and the transport settles what
        # is in flight before it passes the error on. So every message handed over has its result
        # here, and whether the last permission committed no longer matters.
        log.warning("batch-lost", extra={"batch": batch_id, "error": type(error).__name__})
        connection.close()
    except SealedError as error:
        # This host doesn't have the key yet. The second read failed, so nothing of that window
        # was handed over: another worker, or this one later, can send it.
        progress.missing_key = True
        log.error("key-missing", extra={"batch": batch_id, "error": error})
    protocol.retry_on_lost_connection(lambda: judge(progress))
    settled = protocol.finish(
        claim,
        results=bytes(progress.results),
        replies=progress.replies,
        due_in=delay_for_the_rest(progress),
        reason=deferral_reason(progress),
        too_fast=is_too_fast(progress),
    )
    if settled is not None:
        protocol.retry_on_lost_connection(lambda: _pass_on(progress, settled))
        protocol.finish_mailing(claim.mailing_id)
    return True


def _pass_on(progress: BatchProgress, settled: Settlement) -> None:
    """Store what feedback will need to find the readers, and report who was refused."""
    mailing_id = progress.claim.mailing_id
    with transaction.atomic():
        store_provider_messages(mailing_id, progress.message_ids)
        refused = [row for row in settled.outcomes if row.result is Result.REFUSED]
        if refused:
            signals.refused.send(
                sender=None,
                mailing_id=mailing_id,
                transport=progress.transport.name,
                refused=refused,
            )


def _send_windows(progress: BatchProgress, stop: Callable[[], bool]) -> None:
    """Hand over the batch, window by window, until it is done or has to stop.

    A relay pulls recipients as it has room for them, so that its connections are never idle. A
    provider is given one window per call, and the call runs to its end: stopping it halfway would
    lose results.
    """
    compiled = compiled_edition(progress.transport, progress.claim.edition_id)
    # The lease must not run out during a hand-over: after that, the batch belongs to others. So
    # with a slow relay the worker stops here, long before the task's time limit (E7).
    deadline = monotonic() + settings.SEND_LEASE_SECONDS * 0.8

    progress.transport.pace.max_wait = deadline - monotonic()

    def must_stop() -> bool:
        return progress.comparison.refusal is not None or stop() or monotonic() > deadline

    permitted = _permitted_windows(progress, must_stop)
    recipients = (_read_recipients(progress, window) for window in permitted)
    if progress.transport.window is None:
        progress.send(compiled, chain.from_iterable(recipients), must_stop)
        return
    for of_one_window in recipients:
        progress.send(compiled, of_one_window, must_stop)


def _permitted_windows(progress: BatchProgress, must_stop: Callable[[], bool]) -> Iterator[range]:
    """Yield each window once it is permitted; the same commit stores the results so far."""
    size, window = len(progress.claim.readers), range(0)
    while window.stop < size:
        window = progress.next_window(window.stop)
        began = monotonic()
        if must_stop() or not protocol.permit(
            progress.claim,
            upto=window.stop,
            results=bytes(progress.results),
            replies=progress.replies,
            transport=progress.transport.name,
        ):
            return
        commit_latency.add(monotonic() - began)
        yield window


def _read_recipients(progress: BatchProgress, window: range) -> list[Recipient]:
    """Read the window's readers a second time; skip those who no longer want the email."""
    ids = progress.claim.readers[window.start : window.stop]
    wanted = audience.still_wanted(progress.claim.newsletter_id, ids)
    make_recipient = recipient_factory(progress.claim.mailing_id)
    recipients = []
    for position, reader_id in zip(window, ids, strict=True):
        if reader_id in wanted:
            reader = wanted[reader_id]
            progress.addresses[position] = reader.address
            recipients.append(make_recipient(position, reader))
        else:
            progress.record(SendResult(position, Result.SKIPPED))
    return recipients


@lru_cache(maxsize=32)
def compiled_edition(transport: Transport[C], edition_id: int) -> C:
    """Return the edition as this transport sends it, compiled once per process."""
    return transport.compile(build_email(Edition.objects.get(pk=edition_id)))
