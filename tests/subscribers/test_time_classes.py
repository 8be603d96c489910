"""B1: the form takes the same time for new, pending, active, unsubscribed and suppressed.

The forms of the five states are sent in turns, in an order shuffled for each turn, so that what
else the machine does falls on all of them. The times are compared by rank (Kruskal-Wallis).
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
TURNS = 60
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
    """Seconds for each state and turn."""
    taken: dict[str, list[float]] = {state: [] for state in STATES}
    for _turn in range(TURNS):
        for state in random.sample(STATES, len(STATES)):
            begun = time.perf_counter()
            send(state)
            taken[state].append(time.perf_counter() - begun)
    return taken


def difference(taken: dict[str, list[float]]) -> float:
    """The statistic H of Kruskal and Wallis: as chi-squared where the states do not differ."""
    ranked = sorted((seconds, state) for state, all_ in taken.items() for seconds in all_)
    sums = dict.fromkeys(taken, 0)
    for rank, (_seconds, state) in enumerate(ranked, start=1):
        sums[state] += rank
    n = len(ranked)
    squares = sum(total**2 / len(taken[state]) for state, total in sums.items())
    return 12 / (n * (n + 1)) * squares - 3 * (n + 1)


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
        if state == "active":
            time.sleep(0.001)
        send(state)

    assert difference(times(slower)) > UNLIKELY


@pytest.mark.parametrize("path", ["/en/subscribe/", "/en/preferences/", "/en/embed/weekly/"])
def test_b1_the_five_states_ask_the_database_the_same(
    client: Client, readers: None, path: str
) -> None:
    asked = set()
    for state in STATES:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.post(path, filled(email=f"{state}@readers.example"))
        asked.add(tuple(query["sql"].split("VALUES")[0] for query in queries))
    assert len(asked) == 1
