"""The confirmation and welcome pages (B2, B3)."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone, translation

from newsletter.editorial.models import Issue, IssueTranslation
from subscribers import lifecycle
from subscribers.models import Subscription, TransactionalEmail
from tests.conftest import WriteArticle
from tests.subscribers.conftest import AddReader, Ask
from tests.subscribers.views.urls import page_path

State = Subscription.State
pytestmark = pytest.mark.django_db


def state(subscription: Subscription) -> str:
    subscription.refresh_from_db()
    return subscription.state


@pytest.mark.parametrize("method", ["get", "head", "options"])
@pytest.mark.parametrize("name", ["confirm", "welcome", "send-latest"])
def test_b2_opening_a_page_confirms_nothing(
    client: Client, ask: Ask, method: str, name: str
) -> None:
    subscription = ask()
    assert subscription is not None
    getattr(client, method)(page_path(name, subscription.pk))
    assert state(subscription) == State.PENDING
    assert TransactionalEmail.objects.count() == 1


def test_b2_the_button_confirms_without_a_cookie(csrf_client: Client, ask: Ask) -> None:
    subscription = ask("be", "ru", page_language="be")
    assert subscription is not None
    link = page_path("confirm", subscription.pk, language="be")
    page = csrf_client.get(link).content.decode()
    assert "Тыдзень у фокусе" in page
    assert '<span lang="be">беларуская</span>, <span lang="ru">русский</span>' in page
    response = csrf_client.post(link, headers={"origin": "null"})
    assert response.status_code == 303
    assert state(subscription) == State.ACTIVE
    with translation.override("be"):
        welcome = translation.gettext("You have been successfully subscribed")
    assert welcome in csrf_client.get(response["Location"]).content.decode()
    assert "sessionid" not in csrf_client.cookies


def test_a_used_link_says_so(client: Client, ask: Ask) -> None:
    subscription = ask()
    assert subscription is not None
    link = page_path("confirm", subscription.pk)
    client.post(link)
    again = client.get(link)
    assert again.status_code == 200
    assert "already" in again.content.decode()
    assert client.post(link).status_code == 303
    lifecycle.unsubscribe(subscription.pk)
    assert client.get(link).status_code == client.post(link).status_code == 410
    assert client.get(page_path("welcome", subscription.pk)).status_code == 410


def test_b3_an_expired_confirmation_link_explains_what_to_do(client: Client, ask: Ask) -> None:
    subscription = ask()
    assert subscription is not None
    link = page_path("confirm", subscription.pk)
    with time_machine.travel(timezone.now() + timedelta(hours=49)):
        for response in (client.get(link), client.post(link)):
            assert response.status_code == 410
            assert "48 hours" in response.content.decode()
    assert state(subscription) == State.PENDING


def test_the_link_of_a_pruned_subscription_is_gone(client: Client, ask: Ask) -> None:
    subscription = ask()
    assert subscription is not None
    link = page_path("confirm", subscription.pk)
    subscription.delete()
    assert client.get(link).status_code == client.post(link).status_code == 410


def test_the_welcome_page_shows_the_latest_issue_and_emails_it_once(
    client: Client, add_reader: AddReader, issue: Issue, write_article: WriteArticle
) -> None:
    write_article(issue=issue, en="Talks", be="Перамовы")
    write_article(issue=issue, en="Only in English")
    IssueTranslation.objects.create(issue=issue, language="be", subject="Тыдзень перамоў")
    Issue.objects.update(state=Issue.State.APPROVED)
    subscription = add_reader("be", "ru")
    welcome = page_path("welcome", subscription.pk, language="be")
    page = client.get(welcome).content.decode()
    assert "24–30 ліпеня 2017" in page
    assert "Тыдзень перамоў" in page
    assert "Перамовы" in page
    assert "Only in English" not in page
    send = page_path("send-latest", subscription.pk, language="be")
    assert client.get(send).status_code == 303
    assert not TransactionalEmail.objects.exists()
    for _ in range(2):
        assert client.post(send)["Location"].startswith("/be/confirm/")
    email = TransactionalEmail.objects.get()
    assert (email.kind, email.about) == ("issue", str(issue.pk))
    assert send not in client.get(welcome).content.decode()


def test_the_welcome_page_works_without_an_issue(
    client: Client, add_reader: AddReader, issue: Issue
) -> None:
    subscription = add_reader("en")
    assert client.get(page_path("welcome", subscription.pk)).status_code == 200
    client.post(page_path("send-latest", subscription.pk))
    assert not TransactionalEmail.objects.exists()


def test_b2_the_confirmation_button_comes_first_and_has_focus(client: Client, ask: Ask) -> None:
    subscription = ask()
    assert subscription is not None
    page = client.get(page_path("confirm", subscription.pk)).content.decode()
    main = page[page.index("<main") :]
    first = re.search(r"<(a|button|input|select)\b[^>]*>", main)
    assert first is not None
    assert first[0] == '<button type="submit" autofocus>'
