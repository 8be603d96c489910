"""When a message may be started."""

from __future__ import annotations

import pytest

from newsletter.lib.token_bucket import Grant, Learned, PrivateBuckets
from newsletter.transport.outcomes import Fault, Result, SendResult, TransportDownError
from newsletter.transport.pace import Pace
from newsletter.transport.pace.allowance import PrivateAllowance
from newsletter.transport.pace.pace import is_about_speed
from newsletter.transport.url import parse
from tests.transport.pace.clock import Clock, Limiter, busiest, hand_over

UNLIMITED = 10**9


def make_pace(clock: Clock, options: str, *, by_call: bool = False) -> Pace:
    scheme = "anymail+x" if by_call else "smtp"
    limits = parse(f"{scheme}://host?{options}").limits
    return Pace(limits, by_call=by_call, clock=clock, sleep=clock.sleep)


class Untouchable(PrivateBuckets):
    def take(self, *args: object, **options: object) -> Grant:
        raise AssertionError("asked although nothing is limited")


def test_without_limits_and_refusals_nothing_is_asked() -> None:
    pace = Pace()
    pace.share(Untouchable(), PrivateAllowance())
    pace.begin()
    assert pace.free
    assert pace.wait_for_turn(lambda: False)
    recipients = [1, 2]
    assert pace.within_allowance(recipients) is recipients


@pytest.mark.parametrize(
    ("rate", "seconds", "count"),
    [("14/s", 1, 400), ("14/s", 10, 400), ("1/s", 10, 50), ("2/s", 10, 60), ("20/m", 60, 50)],
)
def test_two_processes_never_exceed_a_limit_in_any_window(
    rate: str, seconds: int, count: int
) -> None:
    """Criterion 3, with buckets in memory; tests/lib has them on a server."""
    clock = Clock()
    buckets = PrivateBuckets(clock)
    limiter = Limiter(clock, UNLIMITED)
    paces = [make_pace(clock, f"rate={rate}") for _ in range(2)]
    for pace in paces:
        pace.share(buckets, PrivateAllowance())
    started = clock.now
    while len(limiter.accepted) < count:
        for pace in paces:
            if not pace.wait():
                limiter.accepts()
        clock.sleep(0.01)
    number, unit = int(rate.split("/")[0]), {"s": 1, "m": 60}[rate[-1]]
    assert busiest(limiter.accepted, seconds) <= number * seconds / unit
    assert clock.now - started < count / (number / unit) * 1.2 + 10


@pytest.mark.parametrize("rate", [50, 1_000, 5_000])
def test_a_high_rate_is_taken_in_portions_and_kept(rate: int) -> None:
    clock = Clock()
    limiter = Limiter(clock, UNLIMITED)
    pace = make_pace(clock, f"rate={rate}/s")
    while len(limiter.accepted) < 12 * rate:
        while not pace.wait():
            limiter.accepts()
        clock.sleep(0.002)
    assert busiest(limiter.accepted[:: max(1, rate // 50)], 10) * max(1, rate // 50) <= 10 * rate
    assert 12 * rate / (clock.now - 1_000) > 0.85 * rate


def test_a_stated_rate_is_not_refused() -> None:
    clock = Clock()
    limiter = Limiter(clock, 14)
    hand_over(make_pace(clock, "rate=14/s"), clock, limiter, 200)
    assert limiter.refused == []


def test_single_emails_take_what_bulk_leaves() -> None:
    clock = Clock()
    buckets = PrivateBuckets(clock)
    bulk, single = make_pace(clock, "rate=14/s"), make_pace(clock, "rate=14/s")
    for pace in (bulk, single):
        pace.share(buckets, PrivateAllowance())
        pace.wait()
    clock.sleep(10)
    while not bulk.wait():
        pass
    assert single.wait() > 0
    with single.ahead_of_bulk():
        assert single.wait() == 0


def test_ahead_of_bulk_waits_only_briefly() -> None:
    pace = Pace()
    with pace.ahead_of_bulk():
        assert pace.max_wait == 5
    assert pace.max_wait == 60


def test_a_call_fits_into_a_seconds_rate() -> None:
    clock = Clock()
    pace = make_pace(clock, "rate=14/s", by_call=True)
    assert pace.largest_call(1_000) == 14
    assert make_pace(clock, "calls=2/s", by_call=True).largest_call(1_000) == 1_000
    limiter = Limiter(clock, UNLIMITED)
    pace.wait(14)
    for _ in range(30):
        assert pace.wait_for_turn(lambda: False, recipients=14)
        for _ in range(14):
            limiter.accepts()
    assert busiest(limiter.accepted, 10) <= 140


def test_calls_are_counted_apart_from_recipients() -> None:
    clock = Clock()
    pace = make_pace(clock, "calls=2/s&rate=1000/s", by_call=True)
    pace.wait(100)
    clock.sleep(5)
    calls: list[float] = []
    while len(calls) < 40:
        assert pace.wait_for_turn(lambda: False, recipients=100)
        calls.append(clock.now)
    assert busiest(calls, 10) <= 20


def test_waiting_ends_when_told_to_stop() -> None:
    clock = Clock()
    pace = make_pace(clock, "rate=1/m")
    assert not pace.wait_for_turn(lambda: clock.now > 1_000.5)
    assert clock.now < 1_001


def test_a_group_has_its_own_limit() -> None:
    clock = Clock()
    pace = make_pace(clock, "rate.gmail.com=20/m")
    assert pace.group_of("a@googlemail.com") == "gmail.com"
    assert pace.group_of("a@mail.example") == ""
    assert pace.wait() == 0
    assert pace.wait_for_group("gmail.com") > 1


def test_a_used_up_allowance_ends_the_call_with_the_time_to_wait() -> None:
    pace = make_pace(Clock(), "rate=10/d")
    pace.begin()
    assert list(pace.within_allowance(range(20))) == list(range(9))
    with pytest.raises(TransportDownError, match="limit of 10/d reached") as raised:
        pace.end()
    assert raised.value.fault is Fault.SPEED
    assert 86_400 <= (raised.value.retry_after or 0) <= 86_700


def test_an_allowance_that_is_just_enough_is_no_outage() -> None:
    pace = make_pace(Clock(), "rate=10/d")
    pace.begin()
    assert len(list(pace.within_allowance(range(9)))) == 9
    pace.end()


def test_what_was_taken_but_not_used_is_used_by_the_next_call() -> None:
    pace = make_pace(Clock(), "rate=1000/d")
    for _ in range(2):
        pace.begin()
        next(iter(pace.within_allowance(range(9))))
        pace.end()
    assert pace.describe().today == 50


def test_a_long_pause_ends_the_call() -> None:
    clock = Clock()
    pace = make_pace(clock, "")
    pace.max_wait = 30
    pace.begin()
    pace.refused(20)
    assert pace.too_long() is None
    pace.refused(40)
    down = pace.too_long()
    assert down is not None
    assert (down.fault, down.retry_after) == (Fault.SPEED, 40)


def test_refusals_in_vain_end_the_call() -> None:
    clock = Clock()
    pace = make_pace(clock, "")
    pace.begin()
    while pace.too_long() is None:
        clock.sleep(1)
        pace.refused(1)
        assert clock.now < 1_070
    assert clock.now > 1_060


class News(PrivateBuckets):
    """Buckets with news from another process."""

    told: Learned | None = None

    def learn(self, learned: Learned) -> None:
        self.told = learned

    def news(self, *, ask: bool = False) -> Learned | None:
        return Learned(7.0, 14.0, 2.0) if ask else None


def test_a_learned_rate_is_told_and_taken_over() -> None:
    clock = Clock()
    buckets = News(clock)
    pace = make_pace(clock, "")
    pace.share(buckets, PrivateAllowance())
    pace.begin()
    assert not pace.free
    assert pace.wait() == 2
    clock.sleep(2)
    limiter = Limiter(clock, 5)
    hand_over(pace, clock, limiter, 20)
    assert buckets.told is not None
    assert 0 < buckets.told.limit < 7


def test_the_report_says_what_an_operator_wants_to_know() -> None:
    clock = Clock()
    pace = make_pace(clock, "rate=1000/s&rate.gmail.com=20/m")
    pace.begin()
    for _ in range(20):
        pace.accepted(1)
        clock.sleep(0.1)
    pace.refused()
    pace.end()
    report = pace.describe()
    assert report.limits == {"rate": "1000/s", "rate.gmail.com": "20/m"}
    assert report.measured == pytest.approx(10, rel=0.2)
    assert report.learned == pytest.approx(5, abs=1)
    assert (report.waiting, report.today) == (1, 20)


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (SendResult(0, Result.DEFERRED, 454, "4.7.0"), True),
        (SendResult(0, Result.DEFERRED, 432), True),
        (SendResult(0, Result.DEFERRED, 450, "4.7.1"), True),
        (SendResult(0, Result.DEFERRED, 451, "4.3.2", fault=Fault.SPEED), True),
        (SendResult(0, Result.DEFERRED, 450, "4.2.1"), False),
        (SendResult(0, Result.DEFERRED, 450, "4.7.1", fault=Fault.READER), False),
        (SendResult(0, Result.REFUSED, 550, fault=Fault.READER), False),
        (TransportDownError("x", code=429), True),
        (TransportDownError("x", code=429, fault=Fault.SENDER), False),
        (TransportDownError("x", code=500), False),
    ],
)
def test_d9_which_refusals_are_about_speed(
    result: SendResult | TransportDownError, *, expected: bool
) -> None:
    assert is_about_speed(result) is expected
