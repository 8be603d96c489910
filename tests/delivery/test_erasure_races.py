"""B9: an erasure that meets a freeze or a batch's end, each in a transaction of its own."""

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
from tests.delivery.conftest import prepare_mailing, send_all_due
from tests.delivery.test_erasure import traces

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


class Beside:
    """Something that is done on another connection, as another process would."""

    def __init__(self, do: Callable[[], object]) -> None:
        self._do = do
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._do()
        except BaseException as error:  # noqa: BLE001 - told where it is waited for
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


def test_an_erasure_in_the_midst_of_a_freeze(
    relay: MemoryTransport,
    readers: list[Subscription],
    issue: Issue,
    write_article: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The freeze has taken the reader and not committed: the erasure waits for it."""
    write_article(issue=issue, en="Minsk looks east")
    real, begun = ledger.add_recipients, []

    def reach(*args: Any) -> list[int]:
        taken = real(*args)
        begun.append(Beside(erase(readers[4])))
        threading.Event().wait(0.5)
        return taken

    monkeypatch.setattr(ledger, "reach", reach)
    mailing = prepare_mailing(issue)
    begun[0].wait()
    assert mailing.readers == 10
    assert traces(readers[4].subscriber_id) == []
    assert ReleaseRecipient.objects.filter(subscriber_id__lt=0).count() == 1
    assert faults(mailing) == []
    send_all_due()
    assert len(relay.delivered) == 9
    assert faults(mailing) == []


def test_a_freeze_that_begins_in_the_midst_of_an_erasure(
    relay: MemoryTransport,
    readers: list[Subscription],
    issue: Issue,
    write_article: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It reads the reader still; the erasure looks for the reader again once it has committed."""
    write_article(issue=issue, en="Minsk looks east")
    real, begun = personal_data.suppress, []

    def suppress(*args: Any) -> None:
        begun.append(Beside(lambda: prepare_mailing(issue)))
        threading.Event().wait(1)
        real(*args)

    monkeypatch.setattr(personal_data, "suppress", suppress)
    erase(readers[4])()
    begun[0].wait()
    assert traces(readers[4].subscriber_id) == []
    send_all_due()
    assert len(relay.delivered) == 9
    assert faults(Mailing.objects.get()) == []


@pytest.mark.parametrize("ends", ["all sent", "half of it goes on"])
def test_an_erasure_at_the_moment_in_which_a_batch_ends(
    prepared_mailing: Mailing,
    relay: MemoryTransport,
    readers: list[Subscription],
    monkeypatch: pytest.MonkeyPatch,
    ends: str,
) -> None:
    """The batch is locked and not closed yet: its outcomes and its successor are found after it."""
    real, begun = protocol.close, []

    def close(*args: Any, **kwargs: Any) -> Any:
        if not begun:
            begun.append(Beside(erase(readers[8])))
            threading.Event().wait(0.5)
        return real(*args, **kwargs)

    monkeypatch.setattr(protocol, "close", close)
    stop = (lambda: len(relay.delivered) >= 5) if ends == "half of it goes on" else (lambda: False)
    [batch] = protocol.due_batches(5)
    assert send_batch(batch, stop=stop)
    begun[0].wait()
    assert traces(readers[8].subscriber_id) == []
    assert faults(prepared_mailing) == []
    send_all_due()
    assert faults(prepared_mailing) == []
    assert Outcome.objects.filter(mailing_id=prepared_mailing.pk).count() == 10
    assert len(relay.delivered) == (10 if ends == "all sent" else 9)
