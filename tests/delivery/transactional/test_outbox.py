"""Transactional emails get the same guarantees as a batch."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db.models.functions import Now

from newsletter.delivery.models import Mailing
from newsletter.delivery.oversight.audit import audit
from newsletter.delivery.sending import protocol
from newsletter.delivery.tasks import send
from newsletter.delivery.transactional import outbox
from newsletter.editorial.models import Article, Issue, Newsletter
from newsletter.lib import sandbox
from newsletter.transport.memory import MemoryTransport
from newsletter.transport.outcomes import Result, TransportDownError
from subscribers import lifecycle
from subscribers.addresses import normalise
from subscribers.lifecycle import SignupRequest
from subscribers.models import Subscription, TransactionalEmail
from tests.approving import approve_all
from tests.delivery.conftest import AddReader, end_pauses, prepare_mailing, send_all_due

ALA = "ala@readers.example"


@pytest.fixture
def confirmation(weekly: Newsletter, relay: MemoryTransport) -> TransactionalEmail:
    """The email that asks Ala, who reads Belarusian, to confirm her subscription."""
    lifecycle.sign_up(
        normalise(ALA),
        SignupRequest(
            newsletter_id=weekly.pk,
            languages=("be", "ru"),
            page_language="be",
            wording="I want it.",
            asked_at=datetime(2026, 1, 5, tzinfo=UTC),
        ),
    )
    return TransactionalEmail.objects.get()


def state_of(email: TransactionalEmail) -> str:
    email.refresh_from_db()
    return email.state


def test_a_confirmation_is_sent_once_in_the_readers_language(
    confirmation: TransactionalEmail, relay: MemoryTransport
) -> None:
    """F4, A10."""
    assert outbox.drain() == 1
    assert outbox.drain() == 0
    [message] = relay.to(ALA)
    assert message.parsed["Content-Language"] == "be"
    assert message.parsed["Auto-Submitted"] == "auto-generated"
    text = message.parsed.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "/be/confirm/" in text
    assert state_of(confirmation) == TransactionalEmail.State.SENT


def test_while_the_relay_is_down_the_email_stays_in_the_queue(
    confirmation: TransactionalEmail, relay: MemoryTransport
) -> None:
    relay.script_calls(TransportDownError("greeting 421"))
    outbox.drain()
    assert state_of(confirmation) == TransactionalEmail.State.QUEUED
    assert outbox.drain() == 0, "the next try is due later"
    TransactionalEmail.objects.update(due_at=Now())
    end_pauses()
    outbox.drain()
    assert state_of(confirmation) == TransactionalEmail.State.SENT


def test_rendering_is_tried_again_later_if_the_sandbox_raise_sandbox_ended(
    confirmation: TransactionalEmail, relay: MemoryTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(sandbox, "run", _raise_sandbox_ended)
        outbox.drain()
    assert (state_of(confirmation), confirmation.attempts) == (TransactionalEmail.State.QUEUED, 1)
    assert outbox.drain() == 0, "the next try is due later"
    TransactionalEmail.objects.update(due_at=Now())
    outbox.drain()
    assert state_of(confirmation) == TransactionalEmail.State.SENT


def _raise_sandbox_ended(*args: object, **kwargs: object) -> None:
    raise sandbox.SandboxEndedError("render: EOFError")


def test_a_deferred_email_is_tried_again_and_fails_after_the_time_to_give_up(
    confirmation: TransactionalEmail, relay: MemoryTransport
) -> None:
    relay.script(ALA, Result.DEFERRED, Result.DEFERRED, code=451, status="4.7.1")
    outbox.drain()
    assert (state_of(confirmation), confirmation.code) == (TransactionalEmail.State.QUEUED, 451)
    TransactionalEmail.objects.update(due_at=Now(), created_at=datetime(2020, 1, 1, tzinfo=UTC))
    outbox.drain()
    assert state_of(confirmation) == TransactionalEmail.State.FAILED


def test_an_unknown_email_is_not_sent_again(
    confirmation: TransactionalEmail, relay: MemoryTransport
) -> None:
    relay.script(ALA, Result.UNKNOWN)
    outbox.drain()
    assert state_of(confirmation) == TransactionalEmail.State.UNKNOWN
    TransactionalEmail.objects.update(due_at=Now())
    assert outbox.drain() == 0


def test_an_email_whose_worker_died_is_queued_before_permission_and_unknown_after_it(
    confirmation: TransactionalEmail, relay: MemoryTransport
) -> None:
    claim = outbox._claim(confirmation.pk)
    assert claim is not None
    TransactionalEmail.objects.update(lease_until=Now())
    assert outbox.rescue() == 1
    assert state_of(confirmation) == TransactionalEmail.State.QUEUED
    assert not outbox._permit(claim), "its lease had run out"
    second_claim = outbox._claim(confirmation.pk)
    assert second_claim is not None
    assert outbox._permit(second_claim)
    TransactionalEmail.objects.update(lease_until=Now())
    assert outbox.rescue() == 1
    assert state_of(confirmation) == TransactionalEmail.State.UNKNOWN
    assert relay.delivered == []


def test_an_expired_confirmation_is_dropped(
    confirmation: TransactionalEmail, relay: MemoryTransport
) -> None:
    TransactionalEmail.objects.update(expires_at=datetime(2020, 1, 1, tzinfo=UTC))
    outbox.drain()
    assert state_of(confirmation) == TransactionalEmail.State.DROPPED
    assert relay.delivered == []


def test_a_confirmation_for_an_active_subscription_is_dropped(
    confirmation: TransactionalEmail, relay: MemoryTransport
) -> None:
    Subscription.objects.update(state=Subscription.State.ACTIVE)
    outbox.drain()
    assert state_of(confirmation) == TransactionalEmail.State.DROPPED


def test_a_new_reader_gets_the_latest_issue_at_once_and_not_again_with_the_mailing(
    relay: MemoryTransport,
    add_reader: AddReader,
    issue: Issue,
    write_article: Callable[..., Article],
    weekly: Any,
) -> None:
    write_article(issue=issue, en="Army", be="Войска")
    approve_all()
    ala = add_reader(ALA, "be")
    add_reader("bob@readers.example", "en")
    for _ in range(2):
        TransactionalEmail.objects.create(
            kind=TransactionalEmail.Kind.ISSUE,
            subscriber=ala.subscriber,
            newsletter=weekly,
            about=str(issue.pk),
            due_at=Now(),
        )
    outbox.drain()
    send_all_due()
    assert len(relay.to(ALA)) == 1
    prepare_mailing(issue)
    send_all_due()
    assert len(relay.to(ALA)) == 1
    assert len(relay.to("bob@readers.example")) == 1
    assert Mailing.objects.count() == 2
    assert all(finding.faults == [] for finding in audit())


def test_a_latest_issue_that_cannot_be_rendered_does_not_hold_up_other_emails(
    confirmation: TransactionalEmail,
    relay: MemoryTransport,
    add_reader: AddReader,
    issue: Issue,
    write_article: Callable[..., Article],
    weekly: Newsletter,
) -> None:
    """A2: its subject would break a header."""
    article = write_article(issue=issue, en="Army")
    article.translations.update(headline="Army\r\nBcc: all@readers.example")
    approve_all()
    latest = TransactionalEmail.objects.create(
        kind=TransactionalEmail.Kind.ISSUE,
        subscriber=add_reader("bob@readers.example", "en").subscriber,
        newsletter=weekly,
        about=str(issue.pk),
        due_at=datetime(2020, 1, 1, tzinfo=UTC),
    )
    assert outbox.drain() == 2
    assert state_of(latest) == TransactionalEmail.State.FAILED
    assert state_of(confirmation) == TransactionalEmail.State.SENT


def test_a_transactional_email_does_not_wait_for_the_end_of_a_mailing(
    confirmation: TransactionalEmail,
    relay: MemoryTransport,
    add_reader: AddReader,
    issue: Issue,
    write_article: Callable[..., Article],
    settings: Any,
) -> None:
    settings.SEND_BATCH_SIZE = 1
    write_article(issue=issue, en="Army")
    for number in range(3):
        add_reader(f"r{number}@readers.example", "en")
    prepare_mailing(issue)
    assert send(protocol.due_batches(1)[0]) == 3
    assert [message.address for message in relay.delivered].index(ALA) == 1
