"""The preview of the latest issue with a reader's preferences."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from newsletter.editorial.models import Issue, Topic
from subscribers.views.preferences import preview
from tests.conftest import WriteArticle
from tests.subscribers.conftest import AddReader
from tests.subscribers.views.urls import page_path

pytestmark = pytest.mark.django_db


@pytest.fixture
def approved(issue: Issue, write_article: WriteArticle, security: Topic) -> Issue:
    """An approved issue: one article in three languages, and one of security in English."""
    write_article(issue=issue, en="Talks", be="Перамовы", ru="Переговоры")
    write_article(issue=issue, topic=security, en="Guards")
    Issue.objects.update(state=Issue.State.APPROVED)
    return issue


@pytest.mark.parametrize("chain", [("be", "ru"), ("en",)])
def test_the_preview_has_the_readers_languages(
    client: Client, add_reader: AddReader, approved: Issue, settings: Any, chain: tuple[str, ...]
) -> None:
    subscription = add_reader(*chain)
    settings.WORKER_KEYS = None
    page = client.get(page_path("preview", subscription.pk)).content.decode()
    email = client.get(page_path("preview-email", subscription.pk))
    html = email.content.decode()
    assert ("Перамовы" if chain[0] == "be" else "Talks") in page
    assert ("Перамовы" in html) == (chain[0] == "be")
    assert "placeholders.invalid" not in html
    assert "script-src 'none'" in email["Content-Security-Policy"]
    assert "frame-ancestors 'self'" in email["Content-Security-Policy"]
    assert email["X-Frame-Options"] == "SAMEORIGIN"
    assert email["Cache-Control"] == "private, no-store"


def test_a_plain_text_reader_sees_the_text(
    client: Client, add_reader: AddReader, approved: Issue
) -> None:
    subscription = add_reader("be", plain_text=True)
    page = client.get(page_path("preview", subscription.pk)).content.decode()
    assert '<pre class="mail" lang="be">' in page
    assert "Перамовы" in page
    assert "placeholders.invalid" not in page


def test_an_empty_preview_says_so(client: Client, add_reader: AddReader, issue: Issue) -> None:
    subscription = add_reader("en")
    assert "nothing in it" in client.get(page_path("preview", subscription.pk)).content.decode()
    assert client.get(page_path("preview-email", subscription.pk)).status_code == 410


def test_the_preview_contains_no_working_links_of_the_reader(
    client: Client, add_reader: AddReader, approved: Issue
) -> None:
    shown = preview(add_reader("en"))
    assert shown is not None
    for path in ("/preferences/", "/unsubscribe/", "/u/"):
        assert path not in shown.html


def test_an_unsubscribed_reader_has_no_preview(
    client: Client, add_reader: AddReader, approved: Issue
) -> None:
    subscription = add_reader("en", state="unsubscribed")
    for name in ("preview", "preview-email"):
        assert client.get(page_path(name, subscription.pk)).status_code == 410
