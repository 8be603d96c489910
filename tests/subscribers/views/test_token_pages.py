"""What all pages behind a token share (B3, G8)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from newsletter.editorial.models import Newsletter
from newsletter.lib import keys
from tests.subscribers.conftest import ALA, AddReader
from tests.subscribers.views.urls import page_path

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("language", ["en", "be", "ru"])
@pytest.mark.parametrize("path", ["confirm", "preferences", "unsubscribe"])
def test_b3_a_forged_token_gets_a_page_that_offers_to_subscribe(
    client: Client, weekly: Newsletter, language: str, path: str
) -> None:
    response = client.get(f"/{language}/{path}/{'A' * 36}/")
    assert response.status_code == 404
    assert f"/{language}/subscribe/" in response.content.decode()
    assert f'<html lang="{language}"' in response.content.decode()


@pytest.mark.parametrize("name", ["confirm", "welcome", "preferences", "unsubscribe"])
def test_a_page_with_a_token_is_not_cached_indexed_or_leaked(
    client: Client, add_reader: AddReader, name: str
) -> None:
    response = client.get(page_path(name, add_reader("en").pk))
    assert response.status_code == 200
    assert response["Cache-Control"] == "private, no-store"
    assert response["Referrer-Policy"] == "no-referrer"
    assert "noindex" in response["X-Robots-Tag"]
    assert ALA not in response.content.decode()


def test_g8_a_refused_token_is_not_logged(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    client.get(f"/en/preferences/{'A' * 36}/")
    client.post(f"/u/{'A' * 36}/")
    assert not caplog.records


def test_tokens_of_other_keys_are_refused(
    client: Client, add_reader: AddReader, settings: Any
) -> None:
    subscription = add_reader("en")
    link = page_path("unsubscribe", subscription.pk)
    settings.WEB_KEYS = keys.parse_web_keys(keys.generate_temporary()[0])
    assert client.post(link).status_code == 404
    subscription.refresh_from_db()
    assert subscription.state == "active"
