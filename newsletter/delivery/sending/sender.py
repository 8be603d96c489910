"""Sends one batch: claim, then window by window permission, second read, hand-over; finish.

The order within a window is what keeps the promises P1 and P2: the permission is committed
before the readers' state is read again, and that is read before anything is handed over. So an
unsubscription that was answered is obeyed, and what was handed over lies below the intent.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from time import monotonic
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from newsletter.delivery.models import Edition
from newsletter.delivery.sending import protocol, transports
from newsletter.delivery.sending.messages import build_email, recipient_factory
from newsletter.delivery.sending.protocol import Claim
from newsletter.delivery.sending.settlement import ReplyCodes
from newsletter.transport.base import Transport
from newsletter.transport.decisions import backoff
from newsletter.transport.outcomes import Recipient, Result, SendResult, TransportDownError
from subscribers import audience
from subscribers.crypto.sealing import SealedError

log = logging.getLogger(__name__)


@dataclass
class BatchProgress:
    """What one worker knows of its batch."""

    claim: Claim
    transport: Transport
    results: bytearray = field(init=False)
    replies: dict[int, ReplyCodes] = field(default_factory=dict)
    down: TransportDownError | None = None
    missing_key: bool = False

    def __post_init__(self) -> None:
        self.results = bytearray(len(self.claim.readers))

    def send(
        self, compiled: Any, recipients: Iterable[Recipient], stop: Callable[[], bool]
    ) -> None:
        """At most STEP readers (and one for each connection) are pulled without a result."""
        send_results = self.transport.send(
            compiled, recipients, stop=stop, max_pending=settings.SEND_STEP
        )
        for send_result in send_results:
            self.record(send_result)

    def record(self, send_result: SendResult) -> None:
        self.results[send_result.position] = send_result.result
        if send_result.result is not Result.SENT:
            self.replies[send_result.position] = (send_result.code, send_result.status)


def send_batch(batch_id: int, *, stop: Callable[[], bool] = lambda: False) -> bool:
    """Send what may be sent of a batch; False where it was not there to be taken.

    `stop` is asked before each window and each message: what was not begun by then is given
    back at once.
    """
    claim = None if stop() else protocol.claim(batch_id)
    if claim is None:
        return False
    run = BatchProgress(claim, transports.preferred())
    try:
        _send_windows(run, stop)
        transports.mark_up(run.transport)
    except TransportDownError as down:
        run.down = down
        transports.mark_down(run.transport, seconds=down.retry_after)
        facts = {"batch": batch_id, "transport": run.transport.name, "reason": down.reason}
        log.warning("transport-down", extra=facts)
    except (OperationalError, InterfaceError) as error:
        # The database is asked only before a window's hand-over begins, so all that was handed
        # over is known here. Whether the permission was committed does not matter any more.
        log.warning("batch-lost", extra={"batch": batch_id, "error": type(error).__name__})
        connection.close()
    except SealedError as error:
        # A key that has not come to this host yet. It was met in the second read, so nothing of
        # that window was handed over: another worker, or this one later, goes on.
        run.missing_key = True
        log.error("key-missing", extra={"batch": batch_id, "error": error})
    settled = protocol.finish(
        claim,
        results=bytes(run.results),
        replies=run.replies,
        due_in=_delay_for_the_rest(run),
        why=_deferral_reason(run),
    )
    if settled is not None:
        protocol.finish_mailing(claim.mailing_id)
    return True


def _send_windows(run: BatchProgress, stop: Callable[[], bool]) -> None:
    """A relay pulls readers as it has room for them, so that its connections never run dry; a
    provider's call gets one window and is run to its end: to stop in between would forget some.
    """
    compiled = compiled_edition(run.transport, run.claim.edition_id)
    # The lease may not run out under a hand-over: what is sent later is not ours to send. So a
    # slow relay ends the batch, long before the task's time limit would (E7).
    deadline = monotonic() + settings.SEND_LEASE_SECONDS * 0.8

    def ended() -> bool:
        return stop() or monotonic() > deadline

    if run.transport.window is None:
        run.send(compiled, _permitted_recipients(run, ended), ended)
        return
    for window in _permitted_windows(run, ended):
        run.send(compiled, _read_recipients(run, window), ended)


def _permitted_recipients(run: BatchProgress, ended: Callable[[], bool]) -> Iterator[Recipient]:
    for window in _permitted_windows(run, ended):
        yield from _read_recipients(run, window)


def _permitted_windows(run: BatchProgress, ended: Callable[[], bool]) -> Iterator[range]:
    """Each window once it may be sent: what was settled before is stored by the same commit."""
    for window in windows(len(run.claim.readers), run.transport.window or settings.SEND_STEP):
        if ended() or not protocol.permit(
            run.claim, upto=window.stop, results=bytes(run.results), replies=run.replies
        ):
            return
        yield window


def windows(size: int, step: int) -> Iterator[range]:
    """The positions of a batch in portions: each is permitted, then handed over."""
    for start in range(0, size, step):
        yield range(start, min(start + step, size))


def _read_recipients(run: BatchProgress, window: range) -> list[Recipient]:
    """The window's readers who still want it; the others are recorded as skipped."""
    ids = run.claim.readers[window.start : window.stop]
    wanted = audience.still_wanted(run.claim.newsletter_id, ids)
    recipient = recipient_factory(run.claim.mailing_id)
    found = []
    for position, reader_id in zip(window, ids, strict=True):
        reader = wanted.get(reader_id)
        if reader is None:
            run.record(SendResult(position, Result.SKIPPED))
        else:
            found.append(recipient(position, reader))
    return found


def _delay_for_the_rest(run: BatchProgress) -> timedelta:
    """How long those who were not handed over wait."""
    if run.down is not None and transports.has_another(run.transport):
        return timedelta(0)
    if run.down is not None and run.down.retry_after:
        return timedelta(seconds=run.down.retry_after)
    if run.down is not None or run.missing_key or Result.DEFERRED in run.results:
        return timedelta(seconds=backoff(run.claim.round + 1, settings.SEND_RETRY_SECONDS))
    return timedelta(0)


def _deferral_reason(run: BatchProgress) -> str:
    """What put the rest off, but for replies to single readers."""
    if run.missing_key:
        return "a key of the list has not come to this worker yet"
    return run.down.reason if run.down is not None else ""


@lru_cache(maxsize=32)
def compiled_edition(transport: Transport, edition_id: int) -> Any:
    """The edition as this transport sends it, made once per process."""
    return transport.compile(build_email(Edition.objects.get(pk=edition_id)))
