"""B1: the form takes the same time for new, pending, active, unsubscribed and suppressed.

The forms of the five states are sent in turns, in an order shuffled for each turn, so that what
else the machine does falls on all of them. The times are compared by their ranks in each turn:
where the states do not differ, each order is as likely as another, however busy the machine is.
Both are compared: work, in which a millisecond shows, and work with what it waits for.
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
from subscribers import intake, lifecycle, suppression
from subscribers.addresses import Address
from subscribers.crypto.sealing import AddressHash
from tests.subscribers.conftest import AddReader, Ask, filled

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

STATES = ("new", "pending", "active", "unsubscribed", "suppressed")
TURNS = 50
UNLIKELY = 27.9
"""What chi-squared with four degrees of freedom exceeds once in 80,000 times."""


@pytest.fixture
def readers(add_reader: AddReader, ask: Ask, weekly: Newsletter) -> None:
    ask(address="pending@readers.example")
    add_reader("en", address="active@readers.example")
    lifecycle.unsubscribe(add_reader("en", address="unsubscribed@readers.example").pk)
    reader = add_reader("en", address="suppressed@readers.example").subscriber
    suppression.suppress(
        AddressHash(reader.address_hash_key, bytes(reader.address_hash)), "complained"
    )
    cache.clear()


def times(send: Callable[[str], object], clock: Callable[[], float]) -> dict[str, list[float]]:
    """Seconds for each state and turn."""
    taken: dict[str, list[float]] = {state: [] for state in STATES}
    for _turn in range(TURNS):
        for state in random.sample(STATES, len(STATES)):
            begun = clock()
            send(state)
            taken[state].append(clock() - begun)
    return taken


def clock_here() -> float:
    """Seconds on the clock, but for those in which this thread was ready and others had the
    processor: those are the machine's, and drown what is looked for (Linux; see proc(5))."""
    ready = Path("/proc/thread-self/schedstat")
    stood = int(ready.read_bytes().split()[1]) / 1e9 if ready.exists() else 0.0
    return time.perf_counter() - stood


def difference(taken: dict[str, list[float]]) -> float:
    """Friedman's statistic: as chi-squared where the states do not differ. Only times of one turn
    are compared with each other, as the machine is slower at one moment than at another."""
    sums = dict.fromkeys(taken, 0)
    for turn in range(TURNS):
        in_order = sorted(taken, key=lambda state: taken[state][turn])
        for rank, state in enumerate(in_order, start=1):
            sums[state] += rank
    k = len(taken)
    squares = sum(total**2 for total in sums.values())
    return 12 / (TURNS * k * (k + 1)) * squares - 3 * TURNS * (k + 1)


@pytest.fixture
def send(client: Client, readers: None) -> Callable[[str], object]:
    def post(state: str) -> object:
        form = filled(email=f"{state}@readers.example")
        return client.post("/en/subscribe/", form)

    post("new")
    return post


@pytest.mark.parametrize("clock", [time.thread_time, clock_here])
def test_b1_the_five_states_take_the_same_time(
    send: Callable[[str], object], clock: Callable[[], float]
) -> None:
    assert difference(times(send, clock)) < UNLIKELY


def test_b1_a_millisecond_of_work_is_found(send: Callable[[str], object]) -> None:
    def slower(state: str) -> None:
        until = time.thread_time() + (0.001 if state == "active" else 0)
        while time.thread_time() < until:
            pass
        send(state)

    assert difference(times(slower, time.thread_time)) > UNLIKELY


@pytest.mark.parametrize("state", ["active", "suppressed"])
def test_b1_waiting_in_one_state_is_found(
    send: Callable[[str], object], monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    """Such as for a lookup of the address: nothing of it is work of this thread."""
    real = intake.receive_sign_up

    def slower(address: Address, **words: Any) -> Any:
        if address.local == state:
            time.sleep(0.005)
        return real(address, **words)

    monkeypatch.setattr(intake, "receive_sign_up", slower)
    assert difference(times(send, clock_here)) > UNLIKELY


@pytest.mark.parametrize("path", ["/en/subscribe/", "/en/preferences/", "/en/embed/weekly/"])
def test_b1_the_five_states_ask_the_database_the_same(
    client: Client, readers: None, path: str
) -> None:
    # What is asked once in some seconds is asked by whoever comes first (subscribers.views.cached_newsletters).
    client.post(path, filled(email="somebody@readers.example"))
    asked = set()
    for state in STATES:
        statements: list[str] = []
        with connection.execute_wrapper(partial(_note, statements)):
            client.post(path, filled(email=f"{state}@readers.example"))
        asked.add(tuple(statements))
    assert len(asked) == 1
    assert any("INSERT" in statement for statement in asked.pop())


def _note(statements: list[str], execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
    """The text alone: without its values, which differ."""
    statements.append(sql)
    return execute(sql, *rest)
