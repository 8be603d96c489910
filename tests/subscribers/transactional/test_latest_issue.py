"""The latest issue is the same on the site, on the welcome page, in a reader's preview and in the
email that a new reader requests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from newsletter.editorial.models import Issue, Newsletter
from subscribers.links import tokens
from subscribers.links.tokens import LinkPurpose
from subscribers.models import Subscription, TransactionalEmail
from subscribers.transactional import latest_issue
from tests.conftest import WriteArticle
from tests.subscribers.conftest import AddReader

pytestmark = pytest.mark.django_db

NOW = datetime(2017, 8, 7, 7, 0, tzinfo=UTC)


@pytest.fixture
def frozen_time(db: None) -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def public_issue(issue: Issue, write_article: WriteArticle) -> Issue:
    """24–30 July 2017, approved and public."""
    write_article(issue=issue, en="Talks")
    Issue.objects.update(state=Issue.State.APPROVED)
    return issue


def next_issue(newsletter: Newsletter, **values: object) -> Issue:
    return Issue.objects.create(
        newsletter=newsletter,
        **{
            "starts_on": date(2017, 7, 31),
            "ends_on": date(2017, 8, 6),
            "state": Issue.State.APPROVED,
            **values,
        },
    )


def pages(client: Client, subscription: Subscription) -> list[str]:
    """Return the home page, the welcome page and the preview."""
    confirmed = tokens.make(LinkPurpose.CONFIRM, subscription.pk)
    preferences = tokens.make(LinkPurpose.PREFERENCES, subscription.pk)
    urls = [
        "/en/",
        reverse("subscribers:confirmed", args=[confirmed]),
        reverse("subscribers:preview-mail", args=[preferences]),
    ]
    return [client.get(url).content.decode() for url in urls]


def contain(pages: list[str], headline: str) -> list[bool]:
    return [headline in page for page in pages]


def test_an_issue_of_unpublished_articles_is_not_the_latest_anywhere(
    client: Client,
    add_reader: AddReader,
    weekly: Newsletter,
    public_issue: Issue,
    write_article: WriteArticle,
    frozen_time: None,
) -> None:
    upcoming = next_issue(weekly)
    write_article(issue=upcoming, en="Guards", published_at=datetime(2017, 8, 7, 8, 0, tzinfo=UTC))
    subscription = add_reader("en")
    before = pages(client, subscription)
    assert contain(before, "Talks") == [True, True, True]
    assert contain(before, "Guards") == [False, False, False]
    latest_issue.queue_latest_issue(subscription.pk)
    assert TransactionalEmail.objects.get().about == str(public_issue.pk)
    with time_machine.travel(datetime(2017, 8, 7, 8, 0, tzinfo=UTC), tick=False):
        assert contain(pages(client, subscription), "Guards") == [True, True, True]


@pytest.mark.parametrize(
    ("kind", "state", "text_state"),
    [
        (Issue.Kind.BREAK, Issue.State.APPROVED, "ready"),
        (Issue.Kind.WEEK, Issue.State.DRAFT, "ready"),
        (Issue.Kind.WEEK, Issue.State.APPROVED, "review"),
    ],
)
def test_a_break_a_draft_or_an_issue_without_a_ready_text_is_not_the_latest(
    client: Client,
    add_reader: AddReader,
    weekly: Newsletter,
    public_issue: Issue,
    write_article: WriteArticle,
    frozen_time: None,
    kind: str,
    state: str,
    text_state: str,
) -> None:
    later = next_issue(weekly, kind=kind, state=state)
    write_article(issue=later, en="Guards", state=text_state)
    shown = pages(client, add_reader("en"))
    assert contain(shown, "Talks") == [True, True, True]
    assert contain(shown, "Guards") == [False, False, False]


def test_the_issue_that_ends_last_is_the_latest(
    client: Client,
    add_reader: AddReader,
    weekly: Newsletter,
    public_issue: Issue,
    write_article: WriteArticle,
    frozen_time: None,
) -> None:
    """A special issue may begin before the week's and end after it."""
    special = next_issue(weekly, kind=Issue.Kind.SPECIAL, slug="year", starts_on=date(2017, 7, 1))
    write_article(issue=special, en="Half a year")
    assert contain(pages(client, add_reader("en")), "Half a year") == [True, True, True]


def test_a_withdrawn_issue_is_not_sent_to_a_new_reader(
    public_issue: Issue, add_reader: AddReader, frozen_time: None
) -> None:
    subscription = add_reader("en")
    Issue.objects.update(state=Issue.State.DRAFT)
    latest_issue.queue_latest_issue(subscription.pk)
    assert not TransactionalEmail.objects.exists()
