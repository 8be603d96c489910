"""What a worker knows about the batch that it is sending, and what follows for those who wait."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models.functions import Now

from newsletter.delivery.models import Batch, Outcome
from newsletter.delivery.sending import protocol, transports
from newsletter.delivery.sending.batches import ReplyCodes
from newsletter.delivery.sending.comparison import Comparison, Refusal
from newsletter.delivery.sending.protocol import Claim
from newsletter.transport.base import AnyTransport
from newsletter.transport.decisions import backoff
from newsletter.transport.outcomes import (
    Fault,
    Recipient,
    Result,
    SendResult,
    TransportDownError,
)
from newsletter.transport.pace.measuring import permission_step

SPEED_PAUSE = timedelta(seconds=5)
"""How long readers wait who were only too fast for the relay, after the batch has slowed down."""


class _Latency:
    """A moving average of how long a permission takes to commit, in seconds."""

    def __init__(self) -> None:
        self.seconds = 0.005

    def add(self, seconds: float) -> None:
        self.seconds += (seconds - self.seconds) / 8


commit_latency = _Latency()


def _permission_step(transport: AnyTransport) -> int:
    """Return how many readers each permission covers: few at a slow relay, so that a crash leaves
    few in doubt."""
    if transport.window is not None or transport.connections is None:
        return transport.window or settings.SEND_STEP
    return permission_step(
        transport.pace.rate, commit_latency.seconds, transport.connections, settings.SEND_STEP
    )


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
    message_ids: list[tuple[int, str]] = field(default_factory=list)
    """(subscriber ID, the provider's ID of the message) of those that the provider accepted."""
    down: TransportDownError | None = None
    step: int = 0
    """How many readers the next permission covers."""
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
        )

    def next_window(self, start: int) -> range:
        """Return the positions from `start` that the next permission covers, by the rate that has
        been measured until now."""
        self.step = _permission_step(self.transport)
        window = range(start, min(start + self.step, len(self.claim.readers)))
        if self.transport.connections:
            self.comparison.last_permitted = window.stop - 1
        return window

    def send(
        self, compiled: Any, recipients: Iterable[Recipient], stop: Callable[[], bool]
    ) -> None:
        """Send to the recipients; at most SEND_STEP (plus one per connection) lack a result."""
        send_results = self.transport.send(
            compiled, recipients, stop=stop, max_pending=self._max_pending
        )
        for send_result in send_results:
            self.record(send_result)

    def _max_pending(self) -> int:
        """At a slow relay, no more than one message on each connection lacks a result."""
        return self.step if self.step > (self.transport.connections or 0) else 0

    def record(self, send_result: SendResult) -> None:
        """Remember one reader's result, and those of others that it confirms."""
        # This runs for each message, and nearly always nothing has been refused.
        if self.comparison.accepts_plainly(send_result) and not send_result.message_id:
            self.results[send_result.position] = Result.SENT
            return
        for result in self.comparison.add(send_result):
            self._set(result)

    def _set(self, result: SendResult) -> None:
        self.results[result.position] = result.result
        if result.message_id:
            self.message_ids.append((self.claim.readers[result.position], result.message_id))
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


def judge(progress: BatchProgress) -> None:
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


def delay_for_the_rest(progress: BatchProgress) -> timedelta:
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


def is_too_fast(progress: BatchProgress) -> bool:
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


def deferral_reason(progress: BatchProgress) -> str:
    """Return why the rest is deferred, or "" if replies to single readers are the reason."""
    if progress.missing_key:
        return "this worker doesn't have the key of some addresses yet"
    return progress.down.reason if progress.down is not None else ""
