"""Send one batch: claim it; permit, read again and hand over each window; finish.

P1 and P2 depend on the order within a window. First the permission commits, then the readers'
subscriptions are read a second time, then the messages are handed over. So every message that was
handed over lies below the batch's stored intent, and an unsubscription that was confirmed before
the second read is obeyed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from itertools import chain
from time import monotonic
from typing import Any, TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.db.models.functions import Now

from newsletter.delivery.models import Batch, Edition, Outcome
from newsletter.delivery.sending import protocol, transports
from newsletter.delivery.sending.batches import ReplyCodes
from newsletter.delivery.sending.comparison import Comparison, Refusal
from newsletter.delivery.sending.messages import build_email, recipient_factory
from newsletter.delivery.sending.protocol import Claim
from newsletter.transport.base import AnyTransport, Transport
from newsletter.transport.decisions import backoff
from newsletter.transport.outcomes import (
    Fault,
    Recipient,
    Result,
    SendResult,
    TransportDownError,
)
from newsletter.transport.pace.measuring import permission_step
from subscribers import audience
from subscribers.crypto.sealing import SealedError

log = logging.getLogger(__name__)
C = TypeVar("C")
SPEED_PAUSE = timedelta(seconds=5)
"""How long readers wait who were only too fast for the relay, after the batch has slowed down."""


@dataclass
class BatchProgress:
    """What a worker knows about the batch that it is sending."""

    claim: Claim
    transport: AnyTransport
    results: bytearray = field(init=False)
    addresses: list[str] = field(init=False, repr=False)
    """By position, in memory only, to tell one domain's policy from a fault that concerns all."""
    comparison: Comparison = field(init=False)
    replies: dict[int, ReplyCodes] = field(default_factory=dict)
    down: TransportDownError | None = None
    step: int = 0
    """How many readers a permission covers."""
    has_another: bool = False
    """Whether another transport can take over from one that is down."""
    missing_key: bool = False

    def __post_init__(self) -> None:
        self.results = bytearray(len(self.claim.readers))
        self.step = _permission_step(self.transport)
        self.addresses = [""] * len(self.claim.readers)
        self.comparison = Comparison(
            is_retry=self.claim.round > 0,
            domain_of=lambda position: self.addresses[position].rpartition("@")[2].lower(),
            refused_before=transports.refused_in_a_row[self.transport.name],
            in_flight=self.step if self.transport.connections else 0,
        )

    def send(
        self, compiled: Any, recipients: Iterable[Recipient], stop: Callable[[], bool]
    ) -> None:
        """Send to the recipients; at most SEND_STEP (plus one per connection) lack a result."""
        send_results = self.transport.send(
            compiled, recipients, stop=stop, max_pending=self._max_pending
        )
        for send_result in send_results:
            self.record(send_result)

    @property
    def _max_pending(self) -> int:
        """With one message on each connection, no more than `step` lack a result."""
        return max(self.step - (self.transport.connections or 0), 0)

    def record(self, send_result: SendResult) -> None:
        """Remember one reader's result, and those of others that it confirms."""
        for result in self.comparison.add(send_result):
            self._set(result)

    def _set(self, result: SendResult) -> None:
        self.results[result.position] = result.result
        if result.result is not Result.SENT:
            self.replies[result.position] = ReplyCodes(result.code, result.status, result.fault)

    def end_comparison(self) -> None:
        """Decide about the refusals that no later acceptance confirmed, if the batch was done."""
        if self.down is None and Result.NONE not in self.results:
            mailing_id = self.claim.mailing_id
            for result in self.comparison.end(
                accepted_earlier=lambda: _any_accepted(mailing_id),
                others_wait=lambda: _others_wait(mailing_id),
            ):
                self._set(result)
        name = self.transport.name
        if self.comparison.refusal is not None:
            del transports.refused_in_a_row[name]
        elif self.comparison.accepted or self.comparison.held_back:
            transports.refused_in_a_row[name] = self.comparison.in_a_row


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
    protocol.retry_on_lost_connection(lambda: _judge(progress))
    settled = protocol.finish(
        claim,
        results=bytes(progress.results),
        replies=progress.replies,
        due_in=_delay_for_the_rest(progress),
        reason=_deferral_reason(progress),
        too_fast=_is_too_fast(progress),
    )
    if settled is not None:
        protocol.finish_mailing(claim.mailing_id)
    return True


def _judge(progress: BatchProgress) -> None:
    """Compare the readers, record how the transport did, and hold the mailing if it must be.

    May run twice: if the database is lost on the way, everything is decided again.
    """
    transport, comparison = progress.transport, progress.comparison
    progress.end_comparison()
    if comparison.accepted and progress.down is None and comparison.refusal is None:
        transports.mark_up(transport)
    if progress.down is None and comparison.refusal is not None:
        progress.down = _as_down(transport, comparison.refusal)
    if progress.down is None:
        if not comparison.accepted:
            transports.give_back(transport)
        return
    transports.mark_down(transport, progress.down)
    progress.has_another = transports.has_another(transport)
    refuses_us = comparison.refusal or progress.down.fault in {Fault.SENDER, Fault.MESSAGE}
    if refuses_us and not progress.has_another:
        protocol.hold(
            progress.claim.mailing_id,
            {
                "transport": transport.name,
                "fault": progress.down.fault.value,
                "code": progress.down.code,
                "status": progress.down.status,
                "refused": comparison.refusal.readers if comparison.refusal else 0,
            },
        )


def _as_down(transport: AnyTransport, refusal: Refusal) -> TransportDownError:
    codes = f"{refusal.code or ''} {refusal.status}".strip()
    return TransportDownError(
        f"{transport.name}: refuses everybody: {codes}".rstrip(": "),
        code=refusal.code,
        status=refusal.status,
        fault=refusal.fault,
        retry_after=settings.SEND_RETRY_SECONDS,
    )


def _any_accepted(mailing_id: int) -> bool:
    """Return whether the relay or provider has accepted any message of the mailing."""
    accepted = Outcome.objects.filter(mailing_id=mailing_id, result=Result.SENT)
    if accepted.exists():
        return True
    running = Batch.objects.filter(mailing=mailing_id, state=Batch.State.CLAIMED)
    stored = running.values_list("results", flat=True)
    return any(Result.SENT in bytes(results) for results in stored)


def _others_wait(mailing_id: int) -> bool:
    """Return whether the mailing has readers left in their first round."""
    return Batch.objects.filter(
        mailing=mailing_id, round=0, state=Batch.State.OPEN, due_at__lte=Now()
    ).exists()


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
    for window in windows(len(progress.claim.readers), progress.step):
        began = monotonic()
        if must_stop() or not protocol.permit(
            progress.claim,
            upto=window.stop,
            results=bytes(progress.results),
            replies=progress.replies,
            transport=progress.transport.name,
        ):
            return
        _commit_latency.add(monotonic() - began)
        yield window


class _Latency:
    """A moving average of how long a permission takes to commit, in seconds."""

    def __init__(self) -> None:
        self.seconds = 0.005

    def add(self, seconds: float) -> None:
        self.seconds += (seconds - self.seconds) / 8


_commit_latency = _Latency()


def _permission_step(transport: AnyTransport) -> int:
    """Return how many readers each permission covers: few at a slow relay, so that a crash leaves
    few in doubt."""
    if transport.window is not None or transport.connections is None:
        return transport.window or settings.SEND_STEP
    return permission_step(
        transport.pace.rate, _commit_latency.seconds, transport.connections, settings.SEND_STEP
    )


def windows(size: int, step: int) -> Iterator[range]:
    """Yield the positions of a batch in windows of `step`; permission is given per window."""
    for start in range(0, size, step):
        yield range(start, min(start + step, size))


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


def _delay_for_the_rest(progress: BatchProgress) -> timedelta:
    """Return how long readers who were not handed over wait."""
    down = progress.down
    if progress.has_another:
        return timedelta(0)
    if _is_about_speed_only(progress):
        return SPEED_PAUSE
    if down is not None and down.retry_after:
        return timedelta(seconds=down.retry_after)
    if down is not None or progress.missing_key or Result.DEFERRED in progress.results:
        return timedelta(seconds=backoff(progress.claim.round + 1, settings.SEND_RETRY_SECONDS))
    return timedelta(0)


def _is_too_fast(progress: BatchProgress) -> bool:
    """Return whether readers wait because of our speed or a limit, not for their own reasons."""
    down = progress.down
    return _is_about_speed_only(progress) or (down is not None and down.fault is Fault.SPEED)


def _is_about_speed_only(progress: BatchProgress) -> bool:
    """Return whether readers wait only because they came too fast for the relay (D9)."""
    if progress.down is not None or progress.missing_key:
        return False
    faults = {
        progress.replies[position].fault
        for position, result in enumerate(progress.results)
        if result == Result.DEFERRED and position in progress.replies
    }
    return faults == {Fault.SPEED}


def _deferral_reason(progress: BatchProgress) -> str:
    """Return why the rest is deferred, or "" if replies to single readers are the reason."""
    if progress.missing_key:
        return "this worker doesn't have the key of some addresses yet"
    return progress.down.reason if progress.down is not None else ""


@lru_cache(maxsize=32)
def compiled_edition(transport: Transport[C], edition_id: int) -> C:
    """Return the edition as this transport sends it, compiled once per process."""
    return transport.compile(build_email(Edition.objects.get(pk=edition_id)))
