"""A relay in memory, readers, and a mailing that is ready to send."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from django.db import connection

from newsletter.delivery.models import Mailing, TransportState
from newsletter.delivery.planning import dispatch, snapshot, start
from newsletter.delivery.sending import protocol, transports
from newsletter.delivery.sending.sender import compiled_edition, send_batch
from newsletter.editorial.models import Issue, Newsletter
from newsletter.transport import memory
from newsletter.transport.memory import MemoryTransport
from newsletter.transport.outcomes import Recipient
from subscribers import lifecycle
from subscribers.models import Subscription
from tests.approving import approve

AddReader = Callable[..., Subscription]


@pytest.fixture
def relay(settings: Any) -> Iterator[MemoryTransport]:
    """The only transport: it keeps the messages that it is given."""
    settings.DELIVERY_TRANSPORTS = ["memory://relay"]
    reset_transports()
    yield memory.get_transport("relay")
    reset_transports()


def reset_transports() -> None:
    """Close all transports, and clear the memory relay and the compiled editions."""
    memory.clear()
    transports.reset()
    compiled_edition.cache_clear()


@pytest.fixture
def add_reader(weekly: Newsletter) -> AddReader:
    """A function that adds a confirmed reader: add_reader("ala@…", "be", "ru", topics={3})."""

    def add(address: str, *languages: str, **columns: Any) -> Subscription:
        subscription = lifecycle.add_confirmed(
            address,
            newsletter=weekly,
            languages=languages or ("en",),
            page_language=languages[0] if languages else "en",
            source=Subscription.Source.OPERATOR,
        )
        Subscription.objects.filter(pk=subscription.pk).update(**columns)
        subscription.refresh_from_db()
        return subscription

    return add


@pytest.fixture
def readers(add_reader: AddReader) -> list[Subscription]:
    """Ten readers of English, r0@… to r9@…."""
    return [add_reader(f"r{number}@readers.example", "en") for number in range(10)]


@pytest.fixture
def prepared_mailing(
    relay: MemoryTransport,
    readers: list[Subscription],
    issue: Issue,
    write_article: Callable[..., Any],
) -> Mailing:
    """A mailing of the issue whose snapshot holds the ten readers; nothing is sent yet."""
    write_article(issue=issue, en="Minsk looks east")
    return prepare_mailing(issue)


def prepare_mailing(issue: Issue) -> Mailing:
    """Approve the issue, start its mailing and take the snapshot; nothing is sent yet."""
    approve(issue)
    issue.refresh_from_db()
    return snapshot.prepare(start.send_now(issue, by=None).pk)


def call_at(position: int, action: Callable[[], object]) -> Callable[[Recipient], None]:
    """Return a relay's `on_message` that calls `action` for the message at `position`."""

    def on_message(to: Recipient) -> None:
        if to.position == position:
            action()

    return on_message


def send_all_due() -> None:
    """Send batches, as the workers do, until none is due.

    The pauses of transports that are down are taken as over.
    """
    for _ in range(1000):
        end_pauses()
        due = protocol.due_batches(1)
        if not due:
            return
        send_batch(due[0])
    raise AssertionError("there is always another batch due")


def end_pauses() -> None:
    """Let every transport that is down be tried again at once."""
    TransportState.objects.exclude(retry_at=None).update(retry_at=None)


def dispatch_concurrently(number: int, at: datetime) -> None:
    """Dispatch, prepare and send in `number` threads, each with its own connection."""
    errors: list[BaseException] = []
    barrier = threading.Barrier(number)

    def run() -> None:
        try:
            barrier.wait()
            dispatch.dispatch(at)
            dispatch.prepare_waiting()
            send_all_due()
        except BaseException as error:  # noqa: BLE001 - shown by the assertion below
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
