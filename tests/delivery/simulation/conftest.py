"""Fixtures that build a simulation once per test; each state starts from the same rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.backends.signals import connection_created

from newsletter.delivery.models import Mailing
from newsletter.delivery.planning import start
from newsletter.delivery.sending import protocol, transports
from newsletter.editorial.models import Issue
from subscribers import audience
from tests.approving import approve
from tests.delivery.conftest import AddReader, prepare_mailing, reset_transports
from tests.delivery.simulation.mailing import MailingSimulation
from tests.delivery.simulation.transactional import TransactionalSimulation

MakeSimulation = Callable[..., MailingSimulation]


def _disable_fsync(connection: Any, **_: Any) -> None:
    """Don't sync commits to disk: power cuts aren't simulated, and there are many commits."""
    statement = "SET synchronous_commit=off"
    if connection.vendor == "sqlite":
        statement = "PRAGMA synchronous=OFF"
    connection.connection.execute(statement)  # not through Django, so that it isn't a step


@pytest.fixture
def without_fsync(transactional_db: None) -> Iterator[None]:
    connection_created.connect(_disable_fsync)
    connection.close()
    yield
    connection_created.disconnect(_disable_fsync)
    connection.close()


@pytest.fixture
def make_simulation(
    without_fsync: None,
    add_reader: AddReader,
    issue: Issue,
    write_article: Callable[..., Any],
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[MakeSimulation]:
    """A function that simulates one issue: make_simulation(5, batch=4, step=2) for 5 readers.

    With prepared=False, taking the snapshot is part of the simulation.
    """

    def make(readers: int, *, batch: int, step: int, prepared: bool = True) -> MailingSimulation:
        settings.SEND_BATCH_SIZE, settings.SEND_STEP = batch, step
        settings.DELIVERY_TRANSPORTS = ["memory://relay"]
        write_article(issue=issue, en="Minsk looks east")
        subscriptions = [add_reader(f"r{n}@readers.example", "en") for n in range(readers)]
        simulation = MailingSimulation(
            prepare_mailing(issue) if prepared else start_mailing(issue), subscriptions
        )
        simulation.save_rows()
        use_relay(simulation, monkeypatch)
        still_wanted = audience.still_wanted

        def noted(newsletter_id: int, subscribers: Any) -> Any:
            simulation.note_second_read(subscribers)
            return still_wanted(newsletter_id, subscribers)

        monkeypatch.setattr(audience, "still_wanted", noted)
        return simulation

    yield make
    reset_transports()


def use_relay(
    simulation: MailingSimulation | TransactionalSimulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Make the simulation's relay the only transport, and reconnect without delays."""
    monkeypatch.setattr(transports, "configured", lambda: (simulation.relay,))
    monkeypatch.setattr(protocol, "RECONNECT_DELAYS", (0.0,) * 5)


def start_mailing(issue: Issue) -> Mailing:
    """Start a mailing of the issue; its snapshot is not taken yet."""
    approve(issue)
    issue.refresh_from_db()
    return start.send_now(issue, by=None)


@pytest.fixture
def record_states(record_property: Callable[[str, object], None]) -> Callable[[int], None]:
    """A function that records how many states a test checked, for the run's summary."""
    return lambda number: record_property("states", number)
