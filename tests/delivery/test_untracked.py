"""B10: readers are not tracked.

Two readers' emails differ only in their own links. No image and no link tells who opened or
followed it, and nothing stores that.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from django.apps import apps

from newsletter.delivery.models import Event, Mailing
from newsletter.local import message_view
from newsletter.transport.memory import MemoryTransport
from subscribers.models import Subscription
from tests.delivery.conftest import send_all_due

TOKEN = re.compile(r"[A-Za-z0-9_-]{36,60}(?=/)")


@pytest.fixture
def emails(
    relay: MemoryTransport, prepared_mailing: Mailing, readers: list[Subscription]
) -> list[tuple[str, str]]:
    """The HTML and the text that each of ten readers got."""
    send_all_due()
    parsed = [message.parsed for message in relay.delivered]
    parts = [(message_view.html(each), message_view.plain_text(each)) for each in parsed]
    assert len(parts) == len(readers)
    return parts


def test_b10_readers_emails_only_differ_in_their_own_links(emails: list[tuple[str, str]]) -> None:
    assert len(set(emails)) == len(emails)
    assert len({tuple(TOKEN.sub("TOKEN", part) for part in email) for email in emails}) == 1


def test_b10_only_links_to_preferences_and_unsubscribing_are_personal(
    emails: list[tuple[str, str]],
) -> None:
    for html, text in emails:
        urls = {*re.findall(r'href="([^"]+)"', html), *re.findall(r"https?://\S+", text)}
        assert len(urls) > 3
        personal = {urlsplit(url).path.split("/")[-3] for url in urls if TOKEN.search(url)}
        assert personal <= {"preferences", "unsubscribe", "u"}
        assert not [url for url in urls if urlsplit(url).query]


def test_b10_no_image_is_personal_or_invisible(emails: list[tuple[str, str]]) -> None:
    for html, _text in emails:
        for image in re.findall(r"<img[^>]*>", html):
            assert not TOKEN.search(image)
            assert not re.search(r'(?:width|height)="[01]"', image)
    assert len({tuple(re.findall(r"<img[^>]*>", html)) for html, _text in emails}) == 1


def test_b10_no_model_stores_opens_or_clicks() -> None:
    assert not {"opened", "clicked"} & set(Event.Kind.values)
    fields = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        if model._meta.app_label in {"subscribers", "delivery"}
        for field in model._meta.get_fields()
    }
    assert not [name for name in fields if re.search(r"open|click|seen|visit", name)]
