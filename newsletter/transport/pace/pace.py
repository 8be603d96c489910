"""When a transport may start its next message or call.

Three things decide: the rates that its URL states, shared with other processes through token
buckets; the allowances of an hour or a day, counted where `Allowance` keeps them; and what the
relay or provider turned out to accept (newsletter.transport.pace.adaptive). A transport without any
of these is `free`, and asks nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from math import ceil
from typing import TypeVar

from newsletter.lib.token_bucket import Bucket, Buckets, Learned, PrivateBuckets
from newsletter.transport.outcomes import Fault, Result, SendResult, TransportDownError
from newsletter.transport.pace.adaptive import AdaptiveRate
from newsletter.transport.pace.allowance import Allowance, PrivateAllowance
from newsletter.transport.pace.limits import NO_LIMITS, Limits, Rate
from newsletter.transport.pace.mailbox_providers import group_of
from newsletter.transport.pace.measuring import Meter, PaceReport

R = TypeVar("R")

DEFAULT_MAX_WAIT = 60.0
"""Seconds. Longer than this, a call doesn't wait for a relay that refuses, unless it is told to."""
LIMIT_REACHED = "limit of"
"""How the reason begins if what an hour or a day allows is used up."""
URGENT_MAX_WAIT = 5.0
SHORT_PAUSE = 5.0
"""A pause of at most this is waited out even if the call has taken long already."""
MARGIN = 0.95
"""How much of a rate is used: messages that were held up on the way must not add up to more."""
WINDOW_SECONDS = 10
"""In any window of this length, or of the rate's unit if that is longer, the limit holds."""
_POLL_SECONDS = 0.1
_SHORTEST_WAIT = 0.001
_MESSAGES_AT_ONCE, _LEARNED_AT_ONCE, _CALL_SECONDS = 0.02, 0.2, 1.0
"""Seconds' worth of a rate that may be started at once: a call has many recipients."""
_SPEED_CODES = frozenset({429, 432, 454})


def is_about_speed(result: SendResult | TransportDownError) -> bool:
    """Return whether a refusal says that we are too fast (D9)."""
    if isinstance(result, SendResult) and result.result is not Result.DEFERRED:
        return False
    if result.fault is Fault.SPEED:
        return True
    if result.fault not in {Fault.NONE, Fault.RELAY}:
        return False
    return result.code in _SPEED_CODES or (
        result.code in {421, 450} and result.status.startswith("4.7.")
    )


FEWEST_A_SECOND = 8.0
"""A relay that refuses one of the first messages is tried at half this rate at least."""


class Pace:
    """The pace of one transport in this process. Not thread-safe.

    `free` is True while nothing limits the start of a message. `max_wait` is how many seconds a
    call may wait for a relay or provider that refuses for speed: set it to what is left of the
    lease. Provider's transports count calls (`by_call`), where others count messages.
    """

    def __init__(
        self,
        limits: Limits = NO_LIMITS,
        *,
        by_call: bool = False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.limits = limits
        self.max_wait = DEFAULT_MAX_WAIT
        self._by_call, self._clock, self._sleep = by_call, clock, sleep
        self._buckets: Buckets = PrivateBuckets(clock)
        self._allowance: Allowance = PrivateAllowance()
        self._adaptive = AdaptiveRate()
        self._messages, self._starts = Meter(), Meter()
        self._urgent = False
        self._deadline = 0.0
        self._stock, self._stock_until = 0, 0.0
        """Tokens that were taken but not used yet, and until when they may be."""
        self._refused_since: float | None = None
        """The first refusal since something was accepted."""
        self._share = 0
        self._accepted_before = 0
        self._used_up: TransportDownError | None = None
        burst = _CALL_SECONDS if by_call else _MESSAGES_AT_ONCE
        self._rates = [_bucket(f"rate/{rate.seconds}", rate, burst) for rate in limits.spread]
        self._calls = [
            _bucket(f"calls/{rate.seconds}", rate, 0) for rate in limits.calls if by_call
        ]
        self._groups = {
            group: [_bucket(f"{group}/{rate.seconds}", rate, 0) for rate in rates]
            for group, rates in limits.groups.items()
        }
        self._update()

    def share(self, buckets: Buckets, allowance: Allowance) -> None:
        """Share buckets and allowance with other processes."""
        self._buckets, self._allowance = buckets, allowance

    @contextmanager
    def ahead_of_bulk(self) -> Iterator[None]:
        """Within this context, also use what bulk leaves, and wait only briefly."""
        before, self._urgent, self.max_wait = self.max_wait, True, URGENT_MAX_WAIT
        try:
            yield
        finally:
            self._urgent, self.max_wait = False, before

    # --- A call of `send` ---------------------------------------------------------------------
    def begin(self) -> None:
        """Start a call: take over what other processes have learned since."""
        self._deadline = self._clock() + self.max_wait
        self._used_up, self._accepted_before = None, self._messages.total
        self._adopt(self._buckets.news(ask=True))

    def end(self) -> None:
        """End a call whose messages are settled.

        Raises TransportDownError if there were recipients that an allowance had no room for.
        """
        accepted = self._messages.total - self._accepted_before
        if accepted and not self.limits.has_allowance:
            self._allowance.note(accepted)
        if self._used_up is not None:
            raise self._used_up

    def write_usage(self) -> None:
        """Write how many messages were handed over, if that was put off."""
        self._allowance.write()

    def within_allowance(self, recipients: Iterable[R]) -> Iterable[R]:
        """Yield recipients until an hour's or a day's allowance is used up; `end` then says so."""
        return self._counted(recipients) if self.limits.has_allowance else recipients

    def _counted(self, recipients: Iterable[R]) -> Generator[R, None, None]:
        for recipient in recipients:
            if not self._share:
                share = self._allowance.take(self.limits, urgent=self._urgent)
                if not share.size:
                    self._used_up = TransportDownError(
                        f"{LIMIT_REACHED} {share.limit} reached",
                        fault=Fault.SPEED,
                        retry_after=ceil(share.wait),
                    )
                    return
                self._share = share.size
            self._share -= 1
            yield recipient

    # --- Starting messages ----------------------------------------------------------------------
    def group_of(self, address: str) -> str:
        """Return the recipient's mailbox provider if it has a limit, else ""."""
        group = group_of(address) if self._groups else ""
        return group if group in self._groups else ""

    def wait(self, recipients: int = 1) -> float:
        """Return 0 if a message, or a call with so many recipients, may start now.

        Else return the seconds after which to ask again. `put_back` undoes a 0.
        """
        now = self._clock()
        if now < self._adaptive.resume_at:
            return self._adaptive.resume_at - now
        if self._stock and (self._by_call or now < self._stock_until):
            starts = 0.0
        else:
            starts = self._take_starts(now)
        if starts or not self._by_call:
            return starts or self._use_stock()
        return self._take(self._rates, recipients, minimum=recipients)[1] or self._use_stock()

    def wait_for_group(self, group: str) -> float:
        """Return 0 if a message to this group may start now, else the seconds to wait."""
        return self._take(self._groups[group], 1)[1]

    def put_back(self) -> None:
        """Keep for the next message what `wait` allowed."""
        self._stock += 1

    def wait_for_turn(
        self, stop: Callable[[], bool], *, recipients: int = 1, group: str = ""
    ) -> bool:
        """Wait until a call may start; return False if `stop` returned True first.

        For a mailbox provider's limit, wait no longer than the whole call may.
        """
        if self.free:
            return True
        if group and not self._wait_while(
            lambda: self.wait_for_group(group), lambda: stop() or self.is_overdue()
        ):
            return False
        return self._wait_while(lambda: self.wait(recipients), stop)

    def _wait_while(self, ask: Callable[[], float], stop: Callable[[], bool]) -> bool:
        while not stop():
            seconds = ask()
            if not seconds:
                return True
            self._sleep(min(seconds, _POLL_SECONDS))
        return False

    def largest_call(self, window: int) -> int:
        """Return how many recipients a call may have, so that it fits into a second's rate."""
        return min([window, *(int(each.capacity - each.reserve) for each in self._rates)])

    # --- What happened --------------------------------------------------------------------------
    @property
    def rate(self) -> float:
        """The messages accepted per second, over the last seconds; 0 if nothing is measured."""
        return self._messages.rate(self._clock())

    def accepted(self, messages: int) -> None:
        """Count messages that were accepted together: in one call, if calls are counted."""
        now = self._clock()
        self._messages.add(messages, now)
        if self._by_call:
            self._starts.add(1, now)
        self._adaptive.accepted()
        self._refused_since = None

    def refused(self, retry_after: float | None = None) -> None:
        """Slow down: the relay or provider said that we are too fast."""
        now = self._clock()
        meter = self._starts if self._by_call else self._messages
        measured = meter.in_last_second(now)
        if measured and not self._by_call and not self._adaptive.ceiling:
            # The first messages say little about what a relay allows.
            measured = max(measured, FEWEST_A_SECOND)
        self._stock = 0
        self._refused_since = self._refused_since or now
        if self._adaptive.refused(now, measured=measured, retry_after=retry_after):
            self._tell(now)
        self._update()

    def too_long(self) -> TransportDownError | None:
        """Return the error to raise if this call would have to wait for too long.

        That is if the pause is long, or if nothing was accepted for `max_wait` seconds.
        """
        now = self._clock()
        resume = self._adaptive.resume_at
        in_vain = self._refused_since is not None and now - self._refused_since > self.max_wait
        if not in_vain and resume <= max(self._deadline, now + min(SHORT_PAUSE, self.max_wait)):
            return None
        return TransportDownError(
            "the relay or provider asks to slow down",
            fault=Fault.SPEED,
            retry_after=ceil(max(resume - now, 1.0)),
        )

    def is_overdue(self) -> bool:
        """Return whether this call has lasted longer than it may wait."""
        return self._clock() > self._deadline

    def describe(self) -> PaceReport:
        """Return what to show to the operator; asks the shared server and the ledger."""
        self._adopt(self._buckets.news(ask=True))
        return PaceReport(
            limits=self.limits.describe(),
            measured=self.rate,
            learned=self._adaptive.limit,
            waiting=max(self._adaptive.resume_at - self._clock(), 0.0),
            today=self._allowance.today(),
        )

    # --- Inside ---------------------------------------------------------------------------------
    def _take_starts(self, now: float) -> float:
        had_limit = self._adaptive.limit
        self._adaptive.grow(now)
        buckets = self._calls if self._by_call else self._rates
        if self._adaptive.limit:
            buckets = [*buckets, _learned_bucket(self._adaptive.limit)]
        elif had_limit:
            self._tell(now)
        at_once = min((int(each.capacity - each.reserve) for each in buckets), default=1)
        self._stock, wait = self._take(buckets, 1 if self._by_call else at_once)
        self._stock_until = now + 1
        self._adopt(self._buckets.news())  # also notices that nothing limits any more
        return wait

    def _use_stock(self) -> float:
        self._stock -= 1
        return 0.0

    def _take(self, buckets: list[Bucket], wanted: int, *, minimum: int = 1) -> tuple[int, float]:
        """Return the tokens taken, and the seconds to wait if there were fewer than `minimum`."""
        if not buckets:
            return wanted, 0.0
        if self._urgent:
            buckets = [bucket._replace(reserve=0) for bucket in buckets]
        tokens, wait = self._buckets.take(buckets, wanted, minimum=minimum)
        return tokens, 0.0 if tokens >= minimum else max(wait, _SHORTEST_WAIT)

    def _adopt(self, news: Learned | None) -> None:
        if news is not None:
            limit, ceiling, pause = news
            self._adaptive.adopt(self._clock(), limit=limit, ceiling=ceiling, pause=pause)
        self._update()

    def _tell(self, now: float) -> None:
        adaptive = self._adaptive
        pause = max(adaptive.resume_at - now, 0.0)
        self._buckets.learn(Learned(adaptive.limit, adaptive.ceiling, pause))

    def _update(self) -> None:
        self.free = not (
            self._rates
            or self._calls
            or self._groups
            or self._adaptive.limit
            or self._clock() < self._adaptive.resume_at
        )


def _bucket(key: str, rate: Rate, burst_seconds: float) -> Bucket:
    """Return the bucket that keeps to a rate in every window.

    A window sees at most the capacity and what the bucket fills in that time, so it fills that much
    more slowly. A tenth, at least one, is left for single emails, unless the window has room for
    only a few; then the messages are spaced evenly.
    """
    per_second = rate.count / rate.seconds
    window = max(WINDOW_SECONDS, rate.seconds)
    at_once = max(1, int(per_second * burst_seconds))
    reserve = max(1, at_once // 10) if per_second * window >= 20 else 0
    capacity = at_once + reserve
    fill = per_second * MARGIN
    if capacity > 1:
        fill = min(fill, per_second - capacity / window)
    return Bucket(key, fill, capacity, reserve)


def _learned_bucket(limit: float) -> Bucket:
    """Return the bucket of a learned rate; a few at once make up for moments that were missed."""
    at_once = max(1, int(limit * _LEARNED_AT_ONCE))
    reserve = max(1, at_once // 10) if limit >= 2 else 0
    return Bucket("learned-rate", limit, at_once + reserve, reserve, full=True)
