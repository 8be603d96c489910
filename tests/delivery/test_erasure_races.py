"""B9: an erasure that races a snapshot or the end of a batch, in concurrent transactions."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections

from newsletter.delivery.models import Mailing, Outcome, ReleaseRecipient
from newsletter.delivery.oversight.audit import audit
from newsletter.delivery.sending import ledger, protocol
from newsletter.delivery.sending.sender import send_batch
from newsletter.editorial.models import Issue
from newsletter.transport.memory import MemoryTransport
from subscribers import personal_data
from subscribers.models import Subscriber, Subscription
from subscribers.suppression import suppress
from tests.delivery.conftest import prepare_mailing, send_all_due
from tests.delivery.test_erasure import traces

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


class OtherConnection:
    """A call in a thread with its own database connection, like another process."""

    def __init__(self, do: Callable[[], object]) -> None:
        self._do = do
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._do()
        except BaseException as error:  # noqa: BLE001 - raised by wait()
            self._error = error
        finally:
            connections.close_all()

    def wait(self) -> None:
        self._thread.join(30)
        assert not self._thread.is_alive()
        if self._error is not None:
            raise self._error


def erase(subscription: Subscription) -> Callable[[], None]:
    return lambda: personal_data.erase(Subscriber.objects.get(pk=subscription.subscriber_id))


def faults(mailing: Mailing) -> list[str]:
    [finding] = audit(mailing.pk)
    return finding.faults


def test_an_erasure_waits_for_a_snapshot(
    relay: MemoryTransport,
    readers: list[Subscription],
    issue: Issue,
    write_article: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The snapshot has taken the reader and not committed yet."""
    write_article(issue=issue, en="Minsk looks east")
    original = ledger.add_recipients
    started: list[OtherConnection] = []

    def add_recipients(*args: Any) -> list[int]:
        taken = original(*args)
        started.append(OtherConnection(erase(readers[4])))
        threading.Event().wait(0.5)
        return taken

    monkeypatch.setattr(ledger, "add_recipients", add_recipients)
    mailing = prepare_mailing(issue)
    started[0].wait()
    assert mailing.readers == 10
    assert traces(readers[4].subscriber_id) == []
    assert ReleaseRecipient.objects.filter(subscriber_id__lt=0).count() == 1
    assert faults(mailing) == []
    send_all_due()
    assert len(relay.delivered) == 9
    assert faults(mailing) == []


def test_a_snapshot_that_starts_during_an_erasure_is_corrected(
    relay: MemoryTransport,
    readers: list[Subscription],
    issue: Issue,
    write_article: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It still reads the reader, so the erasure looks again once it has committed."""
    write_article(issue=issue, en="Minsk looks east")
    started: list[OtherConnection] = []

    def suppress_later(*args: Any) -> None:
        started.append(OtherConnection(lambda: prepare_mailing(issue)))
        threading.Event().wait(1)
        suppress(*args)

    monkeypatch.setattr("subscribers.personal_data.suppress", suppress_later)
    erase(readers[4])()
    started[0].wait()
    assert traces(readers[4].subscriber_id) == []
    send_all_due()
    assert len(relay.delivered) == 9
    assert faults(Mailing.objects.get()) == []


@pytest.mark.parametrize("ends", ["all sent", "half sent"])
def test_an_erasure_waits_for_the_end_of_a_batch(
    prepared_mailing: Mailing,
    relay: MemoryTransport,
    readers: list[Subscription],
    monkeypatch: pytest.MonkeyPatch,
    ends: str,
) -> None:
    """The batch is locked and not closed: its outcomes and its successor are found afterwards."""
    original = ledger.insert_outcomes
    started: list[OtherConnection] = []

    def insert_outcomes(*args: Any, **kwargs: Any) -> Any:
        if not started:
            started.append(OtherConnection(erase(readers[8])))
            threading.Event().wait(0.5)
        return original(*args, **kwargs)

    monkeypatch.setattr(ledger, "insert_outcomes", insert_outcomes)
    stop = (lambda: len(relay.delivered) >= 5) if ends == "half sent" else (lambda: False)
    [batch] = protocol.due_batches(5)
    assert send_batch(batch, stop=stop)
    started[0].wait()
    assert traces(readers[8].subscriber_id) == []
    assert faults(prepared_mailing) == []
    send_all_due()
    assert faults(prepared_mailing) == []
    assert Outcome.objects.filter(mailing_id=prepared_mailing.pk).count() == 10
    assert len(relay.delivered) == (10 if ends == "all sent" else 9)
