"""Token buckets of one process, and those that processes share on a server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from newsletter.lib.token_bucket import Bucket, Learned, PrivateBuckets, SharedBuckets, connect
from tests.chaos.servers import ROOT, Broker
from tests.conftest import ReportedOutages
from tests.transport.pace.clock import Clock, busiest

TEN = Bucket("ten", rate=10, capacity=2, reserve=1)
ALL = Bucket("all", rate=100, capacity=5)


# --- One process --------------------------------------------------------------------------------
def test_a_bucket_starts_empty_and_says_how_long_to_wait() -> None:
    clock = Clock()
    buckets = PrivateBuckets(clock)
    tokens, wait = buckets.take([TEN], 1)
    assert tokens == 0
    assert wait == pytest.approx(0.2)
    clock.sleep(wait)
    assert buckets.take([TEN], 1).tokens == 1


def test_the_reserve_is_left_for_others() -> None:
    clock = Clock()
    buckets = PrivateBuckets(clock)
    buckets.take([TEN], 1)
    clock.sleep(60)
    assert [buckets.take([TEN], 1).tokens for _ in range(2)] == [1, 0]
    assert buckets.take([TEN._replace(reserve=0)], 1).tokens == 1


def test_tokens_are_taken_from_all_buckets_or_none() -> None:
    clock = Clock()
    buckets = PrivateBuckets(clock)
    buckets.take([TEN, ALL], 1)
    clock.sleep(0.05)
    assert buckets.take([TEN, ALL], 3).tokens == 0
    assert buckets.take([ALL], 5).tokens == 5


def test_fewer_than_wanted_are_given_but_not_fewer_than_the_minimum() -> None:
    clock = Clock()
    buckets = PrivateBuckets(clock)
    buckets.take([ALL], 1)
    clock.sleep(0.03)
    tokens, wait = buckets.take([ALL], 5, minimum=4)
    assert tokens == 0
    assert wait == pytest.approx(0.01)
    assert buckets.take([ALL], 5).tokens == 3


# --- On a server --------------------------------------------------------------------------------
Reach = Callable[[], redis.Redis]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    server = Broker(tmp_path_factory.mktemp("buckets"))
    server.start_and_wait()
    yield server
    server.stop()


@pytest.fixture
def reach(broker: Broker) -> Iterator[Reach]:
    """A function that returns a client of the server."""
    clients: list[redis.Redis] = []

    def reach() -> redis.Redis:
        clients.append(connect(broker.url))
        return clients[-1]

    yield reach
    for client in clients:
        client.close()


def nobody() -> redis.Redis:
    return connect("redis://127.0.0.1:1/0")


server = pytest.mark.server
SLOW = Bucket("slow", rate=0.001, capacity=3, full=True)


@server
def test_all_processes_take_from_one_bucket(reach: Reach) -> None:
    one, other = (SharedBuckets(reach, "together") for _ in range(2))
    assert one.take([SLOW], 2).tokens == 2
    assert other.take([SLOW], 2).tokens == 1
    tokens, wait = other.take([SLOW], 1)
    assert tokens == 0
    assert wait == pytest.approx(1_000, rel=0.01)
    assert SharedBuckets(reach, "another").take([SLOW], 3).tokens == 3


@server
def test_e8_two_minutes_between_the_clocks_of_two_workers_change_nothing(reach: Reach) -> None:
    ahead, behind = (SharedBuckets(reach, "clocks", clock=Clock(now)) for now in (1_120, 1_000))
    assert ahead.take([SLOW], 3).tokens == 3
    assert behind.take([SLOW], 1).tokens == 0
    assert ahead.take([SLOW], 1).tokens == 0


@server
def test_an_empty_servers_bucket_starts_empty(broker: Broker, reach: Reach) -> None:
    bucket = Bucket("fresh", rate=0.01, capacity=10)
    assert SharedBuckets(reach, "restarts").take([bucket], 1).tokens == 0
    assert SharedBuckets(reach, "restarts").take([bucket._replace(full=True)], 1).tokens == 0


@server
def test_what_one_process_learns_the_others_hear_once(reach: Reach) -> None:
    one, other = (SharedBuckets(reach, "learned") for _ in range(2))
    assert other.news(ask=True) is None
    one.learn(Learned(7, 14, 3))
    assert one.news(ask=True) is None
    limit, ceiling, pause = other.news(ask=True) or Learned(0, 0, 0)
    assert (limit, ceiling) == (7, 14)
    assert 2.5 < pause <= 3
    assert other.news(ask=True) is None
    late = SharedBuckets(reach, "learned").news(ask=True)
    assert late is not None
    assert late.limit == 7


@server
def test_the_processes_of_the_last_minutes_are_known(reach: Reach) -> None:
    taking = [SharedBuckets(reach, "known") for _ in range(3)]
    for buckets in taking:
        buckets.take([TEN], 1)
    watching = SharedBuckets(reach, "known")
    watching.news(ask=True)  # a process that only looks, such as the web server, doesn't count
    assert [buckets.processes for buckets in taking] == [1, 2, 3]
    assert watching.processes == 3


def test_without_the_server_each_process_takes_its_share(reported: ReportedOutages) -> None:
    clock = Clock()
    buckets = SharedBuckets(nobody, "lost", processes=4, clock=clock)
    assert buckets.take([TEN], 1).tokens == 0
    clock.sleep(1)
    # A quarter of ten a second; one of the 2.5 is the reserve.
    assert [buckets.take([TEN], 1).tokens for _ in range(2)] == [1, 0]
    assert reported.services == ["broker"]


@server
def test_a_server_that_failed_is_asked_again_after_a_moment(reach: Reach) -> None:
    clock, found = Clock(), [False]
    buckets = SharedBuckets(lambda: reach() if found[0] else nobody(), "back", clock=clock)
    assert buckets.take([SLOW], 1).tokens == 1  # from its private bucket
    found[0] = True
    assert buckets.take([SLOW], 3).tokens == 2
    clock.sleep(3)
    assert buckets.take([SLOW], 3).tokens == 3


TAKER = """
import json, sys, time
from newsletter.lib.token_bucket import SharedBuckets, connect
from newsletter.transport.pace import Pace
from newsletter.transport.pace.allowance import PrivateAllowance
from newsletter.transport.url import parse

pace = Pace(parse("smtp://host?rate=40/s").limits)
pace.share(SharedBuckets(lambda: connect(sys.argv[1]), "two"), PrivateAllowance())
moments, end = [], time.time() + float(sys.argv[2])
while time.time() < end:
    seconds = pace.wait()
    if seconds:
        time.sleep(min(seconds, 0.01))
    else:
        moments.append(time.time())
print(json.dumps(moments))
"""


@server
@pytest.mark.slow
def test_two_processes_never_exceed_a_limit_in_any_window(broker: Broker) -> None:
    """Criterion 3: two workers together, in windows of a second and of ten."""
    command = [sys.executable, "-c", TAKER, broker.url, "12"]
    started = [
        subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) for _ in range(2)
    ]
    moments = [json.loads(process.communicate()[0]) for process in started]
    together = sorted([*moments[0], *moments[1]])
    assert busiest(together, 10) <= 400
    assert min(map(len, moments)) > 50  # both take part


@server
@pytest.mark.slow
def test_a_restart_with_empty_memory_does_not_double_a_window(tmp_path: Path) -> None:
    broker = Broker(tmp_path)
    broker.start_and_wait()
    try:
        clock = Clock()
        clock = Clock()
        buckets = SharedBuckets(lambda: connect(broker.url), "restart", clock=clock)
        many = Bucket("many", rate=0.01, capacity=5)
        assert buckets.take([many._replace(full=True)], 5).tokens == 5
        broker.lose_everything()
        for _ in range(2):  # the first finds that the connection is lost
            assert buckets.take([many], 1).tokens == 0
            clock.sleep(3)
    finally:
        broker.stop()
