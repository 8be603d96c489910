"""Reading sealed POSTs: what is unreadable, forged or out of order harms nobody."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import OperationalError, connection

from newsletter.delivery.message_ids import MAILING, MessageTrace
from newsletter.delivery.models import Event
from newsletter.transport.outcomes import Result
from subscribers.models import Intake
from tests.delivery.feedback.conftest import (
    ALA,
    BORYS,
    MakeMailing,
    SentMailing,
    delivery_id,
    drain,
)
from tests.delivery.feedback.payloads import Who, body
from tests.delivery.feedback.signing import send


def test_a_forged_delivery_id_leads_nowhere(sent: SentMailing) -> None:
    """It would have to be made with our key; the address then says who it was."""
    send("sendgrid", body("sendgrid", "hard", Who(ALA, "a" * 28, "unknown")))
    send("sendgrid", body("sendgrid", "hard", Who("nobody@readers.example", "b" * 28, "unknown")))
    drain()
    event = Event.objects.get()
    assert (event.subscriber_id, event.mailing_id) == (sent.readers[ALA].pk, None)
    assert sent.is_subscribed(BORYS)


@pytest.mark.parametrize("provider", ["sendgrid", "sparkpost", "mailjet", "mailtrap"])
def test_an_event_that_cannot_be_read_does_not_hold_up_the_others(
    sent: SentMailing, provider: str, caplog: pytest.LogCaptureFixture
) -> None:
    data = json.loads(body(provider, "hard", sent.who(ALA), sent.who(BORYS)))
    events = data["events"] if provider == "mailtrap" else data
    events[0] = {"email": ALA}
    assert send(provider, json.dumps(data).encode()) == 200
    drain()
    assert sent.suppression(BORYS) == "bounced"
    assert "action=webhook-event-unreadable" in caplog.text
    assert "readers.example" not in caplog.text


def test_a_post_that_cannot_be_read_is_tried_again_and_does_not_hold_up_the_others(
    sent: SentMailing, caplog: pytest.LogCaptureFixture
) -> None:
    send("brevo", b'{"event": ')
    send("brevo", body("brevo", "hard", sent.who(ALA)))
    assert drain() == 1
    assert sent.suppression(ALA) == "bounced"
    assert Intake.objects.get().attempts == 1
    assert "reason=UnreadableError" in caplog.text
    assert "readers.example" not in caplog.text


def test_what_a_worker_did_not_commit_is_done_again(sent: SentMailing) -> None:
    """P1: a POST is deleted in the transaction that acts on it."""

    def fail(execute: Any, sql: str, *args: Any) -> Any:
        if "subscribers_suppression" in sql:
            raise OperationalError("the connection is lost")
        return execute(sql, *args)

    send("sendgrid", body("sendgrid", "hard", sent.who(ALA), sent.who(BORYS)))
    with connection.execute_wrapper(fail):
        assert drain() == 0
    assert Intake.objects.count() == 1
    assert not Event.objects.exists()
    assert sent.result(ALA) is Result.UNKNOWN
    Intake.objects.update(due_at=sent.mailing.created_at)
    assert drain() == 1
    assert Event.objects.count() == 2
    assert sent.suppression(BORYS) == "bounced"


def test_many_posts_are_read_in_one_transaction_each_event_once(
    make_mailing: MakeMailing,
) -> None:
    sent = make_mailing()
    for _ in range(3):
        send("sendgrid", body("sendgrid", "delivered", sent.who(ALA), sent.who(BORYS)))
        send("mailgun", body("mailgun", "delivered", sent.who(ALA)))
    assert drain() == 6
    assert Event.objects.count() == 3, "two providers aren't one"
    assert sent.result(ALA) is sent.result(BORYS) is Result.SENT


def test_one_reader_of_two_under_a_shared_id_is_not_taken_for_the_other(
    sent: SentMailing,
) -> None:
    """D10: the delivery ID is Ala's, but the recipient who bounced is a stranger."""
    ala = sent.who(ALA)
    send("amazon_ses", body("amazon_ses", "hard", ala, Who("stranger@readers.example")))
    drain()
    assert [event.subscriber_id for event in Event.objects.all()] == [sent.readers[ALA].pk]


def test_an_alert_to_staff_is_about_no_reader(sent: SentMailing) -> None:
    """Its delivery ID names a member of staff, whose number a reader may have too."""
    trace = MessageTrace(MAILING + 2, 1, sent.readers[BORYS].pk)
    send("brevo", body("brevo", "hard", Who("staff@news.example.org", delivery_id(trace))))
    drain()
    assert not Event.objects.exists()
    assert sent.is_subscribed(BORYS)
