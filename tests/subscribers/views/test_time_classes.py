"""The form takes the same time whatever the state of the address (B1).

Each round sends one form per state, in random order, so that other load on the machine affects all
states alike. The times are compared by their ranks within a round: if the states don't differ,
every order is equally likely, however busy the machine is. Two clocks are compared: CPU time, in
which a millisecond shows, and elapsed time, which includes waiting.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client

from newsletter.editorial.models import Newsletter
from subscribers import intake, lifecycle
from subscribers.addresses import Address
from tests.subscribers.conftest import AddReader, Ask, filled
from tests.subscribers.views.conftest import complain

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

STATES = ("new", "pending", "active", "unsubscribed", "suppressed")
ROUNDS = 50
THRESHOLD = 27.9
"""Chi-squared with four degrees of freedom exceeds this once in 80,000 times."""


@pytest.fixture
def readers(add_reader: AddReader, ask: Ask, weekly: Newsletter) -> None:
    ask(address="pending@readers.example")
    add_reader("en", address="active@readers.example")
    lifecycle.unsubscribe(add_reader("en", address="unsubscribed@readers.example").pk)
    reader = add_reader("en", address="suppressed@readers.example").subscriber
    complain(reader)
    cache.clear()


def measure(send: Callable[[str], object], clock: Callable[[], float]) -> dict[str, list[float]]:
    """Return the seconds seconds for each state in each round."""
    seconds: dict[str, list[float]] = {state: [] for state in STATES}
    for _ in range(ROUNDS):
        for state in random.sample(STATES, len(STATES)):
            start = clock()
            send(state)
            seconds[state].append(clock() - start)
    return seconds


def elapsed_time() -> float:
    """Return seconds on the clock, without the time in which this thread was ready to run but the
    CPU was busy with others: it would drown the difference (Linux; see proc(5))."""
    schedstat = Path("/proc/thread-self/schedstat")
    waited = int(schedstat.read_bytes().split()[1]) / 1e9 if schedstat.exists() else 0.0
    return time.perf_counter() - waited


def friedman_statistic(seconds: dict[str, list[float]]) -> float:
    """Return Friedman's statistic, which follows chi-squared if the states don't differ.

    It compares only times of the same round, as the machine's speed varies over time.
    """
    sums = dict.fromkeys(seconds, 0)
    for round_number in range(ROUNDS):
        in_order = sorted(seconds, key=lambda state: seconds[state][round_number])
        for rank, state in enumerate(in_order, start=1):
            sums[state] += rank
    k = len(seconds)
    squares = sum(total**2 for total in sums.values())
    return 12 / (ROUNDS * k * (k + 1)) * squares - 3 * ROUNDS * (k + 1)


@pytest.fixture
def send(client: Client, readers: None) -> Callable[[str], object]:
    def post(state: str) -> object:
        form = filled(email=f"{state}@readers.example")
        return client.post("/en/subscribe/", form)

    post("new")
    return post


@pytest.mark.parametrize("clock", [time.thread_time, elapsed_time])
def test_b1_the_five_states_take_the_same_time(
    send: Callable[[str], object], clock: Callable[[], float]
) -> None:
    assert friedman_statistic(measure(send, clock)) < THRESHOLD


def test_b1_the_test_detects_a_millisecond_of_work(send: Callable[[str], object]) -> None:
    def slower(state: str) -> None:
        until = time.thread_time() + (0.001 if state == "active" else 0)
        while time.thread_time() < until:
            pass
        send(state)

    assert friedman_statistic(measure(slower, time.thread_time)) > THRESHOLD


@pytest.mark.parametrize("state", ["active", "suppressed"])
def test_b1_the_test_detects_waiting(
    send: Callable[[str], object], monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    """Such as for a database lookup of the address, which takes no CPU time in this thread."""
    real = intake.receive_sign_up

    def slower(address: Address, **kwargs: Any) -> Any:
        if address.local == state:
            time.sleep(0.005)
        return real(address, **kwargs)

    monkeypatch.setattr(intake, "receive_sign_up", slower)
    assert friedman_statistic(measure(send, elapsed_time)) > THRESHOLD


@pytest.mark.parametrize("path", ["/en/subscribe/", "/en/preferences/", "/en/embed/weekly/"])
def test_b1_every_state_runs_the_same_queries(client: Client, readers: None, path: str) -> None:
    # The first request fills the cache of newsletters (subscribers.views.signup).
    client.post(path, filled(email="somebody@readers.example"))
    queries = set()
    for state in STATES:
        statements: list[str] = []
        with connection.execute_wrapper(partial(_record_sql, statements)):
            client.post(path, filled(email=f"{state}@readers.example"))
        queries.add(tuple(statements))
    assert len(queries) == 1
    assert any("INSERT" in statement for statement in queries.pop())


def _record_sql(statements: list[str], execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
    """Record the SQL without its parameters, which differ."""
    statements.append(sql)
    return execute(sql, *rest)
