"""B1: the form takes the same time for new, pending, active, unsubscribed and suppressed.

The forms of the five states are sent in turns, in an order shuffled for each turn, so that what
else the machine does falls on all of them. The times are compared by their ranks in each turn.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from newsletter.editorial.models import Newsletter
from subscribers import lifecycle
from tests.subscribers.conftest import AddReader, Ask, filled

pytestmark = pytest.mark.django_db

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
    lifecycle.suppress(lifecycle.Index(reader.index_key, bytes(reader.index)), "complained")
    cache.clear()


def times(send: Callable[[str], object]) -> dict[str, list[float]]:
    """Seconds of work for each state and turn: not of the clock, which others' work moves too."""
    taken: dict[str, list[float]] = {state: [] for state in STATES}
    for _turn in range(TURNS):
        for state in random.sample(STATES, len(STATES)):
            begun = time.thread_time()
            send(state)
            taken[state].append(time.thread_time() - begun)
    return taken


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


def test_b1_the_five_states_take_the_same_time(send: Callable[[str], object]) -> None:
    assert difference(times(send)) < UNLIKELY


def test_a_difference_of_a_millisecond_is_found(send: Callable[[str], object]) -> None:
    def slower(state: str) -> None:
        until = time.thread_time() + (0.001 if state == "active" else 0)
        while time.thread_time() < until:
            pass
        send(state)

    assert difference(times(slower)) > UNLIKELY


@pytest.mark.parametrize("path", ["/en/subscribe/", "/en/preferences/", "/en/embed/weekly/"])
def test_b1_the_five_states_ask_the_database_the_same(
    client: Client, readers: None, path: str
) -> None:
    # What is asked once in some seconds is asked by whoever comes first (subscribers.known).
    client.post(path, filled(email="somebody@readers.example"))
    asked = set()
    for state in STATES:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.post(path, filled(email=f"{state}@readers.example"))
        asked.add(tuple(query["sql"].split("VALUES")[0] for query in queries))
    assert len(asked) == 1
