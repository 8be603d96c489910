"""Small and large worlds, frozen once per test and restored for each state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.backends.signals import connection_created

from newsletter.delivery.models import Mailing
from newsletter.delivery.planning import start
from newsletter.delivery.sending import protocol, sender, transports
from newsletter.editorial.models import Issue
from subscribers import audience
from tests.delivery.conftest import AddReader, prepare_mailing, reset_transports
from tests.delivery.simulation.mailing import MailingSimulation

MakeSimulation = Callable[..., MailingSimulation]


def _hurry(connection: Any, **_: Any) -> None:
    """Power cuts are not simulated, and a sync to disk for each of so many commits is slow."""
    statement = "SET synchronous_commit=off"
    if connection.vendor == "sqlite":
        statement = "PRAGMA synchronous=OFF"
    connection.connection.execute(statement)  # unseen: no step of the send-out


@pytest.fixture
def without_fsync(transactional_db: None) -> Iterator[None]:
    connection_created.connect(_hurry)
    connection.close()
    yield
    connection_created.disconnect(_hurry)
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
    """A function that freezes the issue for so many readers: make_world(5, batch=4, step=2)."""

    def make(readers: int, *, batch: int, step: int, frozen: bool = True) -> MailingSimulation:
        settings.SEND_BATCH_SIZE, settings.SEND_STEP = batch, step
        settings.DELIVERY_TRANSPORTS = ["memory://relay"]
        write_article(issue=issue, en="Minsk looks east")
        subscriptions = [add_reader(f"r{n}@readers.example", "en") for n in range(readers)]
        simulation = MailingSimulation(
            prepare_mailing(issue) if frozen else start_mailing(issue), subscriptions
        )
        simulation.save_rows()
        monkeypatch.setattr(transports, "configured", lambda: (simulation.relay,))
        monkeypatch.setattr(protocol, "PATIENCE", (0.0,) * 5)
        read = audience.still_wanted

        def announced(newsletter_id: int, subscribers: Any) -> Any:
            simulation.second_read(subscribers)
            return read(newsletter_id, subscribers)

        monkeypatch.setattr(sender.audience, "still_wanted", announced)
        return simulation

    yield make
    reset_transports()


def start_mailing(issue: Issue) -> Mailing:
    Issue.objects.filter(pk=issue.pk).update(state=Issue.State.APPROVED)
    issue.refresh_from_db()
    return start.send_now(issue, by=None)


@pytest.fixture
def record_states(record_property: Callable[[str, object], None]) -> Callable[[int], None]:
    """Tells how many states a test checked; the run's summary adds them up."""
    return lambda number: record_property("states", number)
