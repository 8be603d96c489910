"""B10: nobody is tracked. What two readers get differs in their own links only; no picture and no
link tells who opened or followed it; nothing keeps it, so nothing is deleted by it."""

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
def mails(
    relay: MemoryTransport, prepared_mailing: Mailing, readers: list[Subscription]
) -> list[tuple[str, str]]:
    """HTML and text of what each of ten readers got."""
    send_all_due()
    parsed = [each.parsed for each in relay.delivered]
    found = [(message_view.html(each), message_view.plain_text(each)) for each in parsed]
    assert len(found) == len(readers)
    return found


def test_b10_readers_mails_differ_in_their_own_links_only(mails: list[tuple[str, str]]) -> None:
    assert len(set(mails)) == len(mails)
    assert len({tuple(TOKEN.sub("TOKEN", part) for part in mail) for mail in mails}) == 1


def test_b10_only_links_that_change_choices_are_personal(mails: list[tuple[str, str]]) -> None:
    for html, text in mails:
        urls = {*re.findall(r'href="([^"]+)"', html), *re.findall(r"https?://\S+", text)}
        assert len(urls) > 3
        personal = {urlsplit(url).path.split("/")[-3] for url in urls if TOKEN.search(url)}
        assert personal <= {"preferences", "unsubscribe", "u"}
        assert not [url for url in urls if urlsplit(url).query]


def test_b10_no_picture_is_personal_or_invisible(mails: list[tuple[str, str]]) -> None:
    for html, _text in mails:
        for picture in re.findall(r"<img[^>]*>", html):
            assert not TOKEN.search(picture)
            assert not re.search(r'(?:width|height)="[01]"', picture)
    assert len({tuple(re.findall(r"<img[^>]*>", html)) for html, _text in mails}) == 1


def test_b10_nothing_keeps_what_a_reader_opened_or_followed() -> None:
    assert not {"opened", "clicked"} & set(Event.Kind.values)
    fields = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        if model._meta.app_label in {"subscribers", "delivery"}
        for field in model._meta.get_fields()
    }
    assert not [name for name in fields if re.search(r"open|click|seen|visit", name)]
