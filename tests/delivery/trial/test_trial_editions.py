"""Test emails are the real message, marked, and leave no trace among readers (issue 13)."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

import pytest
from django.apps import apps
from django.test import Client

from newsletter.delivery.models import TrialEmail
from newsletter.delivery.tasks import run_drain
from newsletter.delivery.trial import outbox, trial_editions
from newsletter.editorial.models import Issue, User
from newsletter.transport.memory import MemoryTransport
from newsletter.transport.outcomes import Result
from subscribers.audience import segment_of
from tests.conftest import WriteArticle
from tests.delivery.conftest import AddReader, prepare_mailing, send_all_due

pytestmark = pytest.mark.django_db
HANNA = "hanna@newsroom.example"


@pytest.fixture
def hanna() -> User:
    return User.objects.create_user("hanna", HANNA, is_staff=True)


@pytest.fixture
def ready(issue: Issue, write_article: WriteArticle) -> Issue:
    write_article(issue=issue, en="Low water", be="Нізкая вада")
    return issue


def test_a_test_differs_from_the_real_message_only_where_it_says_so(
    relay: MemoryTransport, ready: Issue, add_reader: AddReader, hanna: User
) -> None:
    subscription = add_reader("ala@readers.example", "be", "en")
    outbox.send_tests(ready, [segment_of(subscription)], [hanna], by=hanna, language="en")
    outbox.drain()
    prepare_mailing(ready)
    send_all_due()
    test, real = (message.parsed for message in relay.delivered)
    assert test["To"].addresses[0].addr_spec == HANNA
    assert test["Subject"] == f"[Test] {real['Subject']}"
    assert test["X-Tydzen-Test"] == "1"
    personal = {"Subject", "To", "Date", "Message-ID", "X-Tydzen-Test", "DKIM-Signature"}
    differing = {
        name
        for name in {*test.keys(), *real.keys()} - personal
        if test[name] != real[name] and "boundary" not in str(real[name])
    }
    assert differing == {"List-Unsubscribe"}
    for kind in ("plain", "html"):
        marked, clean = (_body(each, kind) for each in (test, real))
        assert "This is a test" in marked
        assert "Нізкая вада" in marked
        assert "This is a test" not in clean
        assert "/u/" not in marked
        assert "/test-email/" in marked


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def test_nothing_is_counted_and_no_reader_is_affected(
    relay: MemoryTransport, ready: Issue, add_reader: AddReader, hanna: User, client: Client
) -> None:
    subscription = add_reader("ala@readers.example", "be", "en")
    add_reader("basil@readers.example", "en")
    before = _everything()
    editions = [segment for segment, _readers in trial_editions.distinct_segments(ready)]
    assert len(editions) == 2
    outbox.send_tests(ready, editions, [hanna], by=hanna, language="en")
    run_drain()
    assert [row.state for row in TrialEmail.objects.all()] == ["sent", "sent"]
    link = trial_editions.urls("en")["unsubscribe"].partition("//")[2].partition("/")[2]
    for answer in (client.get(f"/{link}"), client.post(f"/{link}")):
        assert answer.status_code == 200
    assert _everything() == before
    subscription.refresh_from_db()
    assert subscription.state == "active"


def _everything() -> dict[str, list[Any]]:
    """Return all rows but those of the test itself and the relay's own counts."""
    own = {"TrialEmail", "TransportUsage", "TransportState", "TaskRun", "Session"}
    return {
        model.__name__: list(model.objects.order_by("pk").values())
        for model in apps.get_models()
        if model.__name__ not in own and hasattr(model, "objects")
    }


def test_a_refusal_is_shown_with_its_codes_and_without_an_address(
    relay: MemoryTransport, ready: Issue, hanna: User
) -> None:
    relay.script(HANNA, Result.REFUSED, code=550, status="5.1.1")
    segment = trial_editions.plain_segment(("en",))
    [row] = outbox.send_tests(ready, [segment], [hanna], by=hanna, language="en")
    outbox.drain()
    row.refresh_from_db()
    assert row.state == "failed"
    assert "550" in row.reason
    assert HANNA not in row.reason


def test_an_edition_without_articles_says_why_it_was_not_sent(
    relay: MemoryTransport, issue: Issue, hanna: User
) -> None:
    segment = trial_editions.plain_segment(("en",))
    [row] = outbox.send_tests(issue, [segment], [hanna], by=hanna, language="en")
    outbox.drain()
    row.refresh_from_db()
    assert (row.state, relay.delivered) == ("failed", [])
    assert "no article is ready" in row.reason


def test_one_person_cannot_flood_a_colleague(
    relay: MemoryTransport, ready: Issue, hanna: User
) -> None:
    segments = [trial_editions.plain_segment(("en",))] * outbox.TEST_EMAILS_AN_HOUR
    outbox.send_tests(ready, segments, [hanna], by=hanna, language="en")
    with pytest.raises(outbox.TooManyError):
        outbox.send_tests(ready, segments[:1], [hanna], by=hanna, language="en")
    assert TrialEmail.objects.count() == outbox.TEST_EMAILS_AN_HOUR


def test_a_worker_that_died_leaves_it_unknown_and_nothing_is_repeated(
    relay: MemoryTransport, ready: Issue, hanna: User
) -> None:
    segment = trial_editions.plain_segment(("en",))
    [row] = outbox.send_tests(ready, [segment], [hanna], by=hanna, language="en")
    long_ago = row.created_at - 2 * outbox.LEASE
    TrialEmail.objects.update(state="sending", claimed_at=long_ago)
    outbox.drain()
    row.refresh_from_db()
    assert (row.state, relay.delivered) == ("unknown", [])
