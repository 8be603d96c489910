"""The log contains no reader's token (G8), and no traceback for a visitor's mistake."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client
from django.utils.log import configure_logging

from newsletter.lib.private_paths import LOCALIZED_PRIVATE_PREFIXES, redact_tokens
from tests.web.routes import fill_route, routes

TOKEN = "AQEBAAAAAAAAAAFrCxmxR1JUI-Fbf1ghJ0g-dV7_"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """The output of the handler configured in settings."""
    configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)
    (handler,) = (handler for handler in logging.getLogger().handlers if handler.name == "console")
    assert isinstance(handler, logging.StreamHandler)
    output = io.StringIO()
    before = handler.setStream(output)
    yield output
    handler.setStream(before)


def test_g8_a_token_in_an_unknown_path_is_not_logged(
    client: Client, db: None, log: io.StringIO
) -> None:
    tokens = [route for route in routes("be") if "<str:token>" in route]
    for route in tokens:
        client.get(fill_route(route, token=TOKEN).rstrip("/") + "/nothing/here")
    assert log.getvalue().count("Not Found") == len(tokens)
    assert TOKEN not in log.getvalue()


@pytest.mark.parametrize("name", LOCALIZED_PRIVATE_PREFIXES)
def test_g8_the_token_of_a_failing_page_is_not_logged(
    db: None, log: io.StringIO, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def fail(*args: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("subscribers.views.token_pages.tokens.parse", fail)
    Client(raise_request_exception=False).get(f"/en/{name}/{TOKEN}/")
    assert f"Internal Server Error: /en/{name}/…/" in log.getvalue()
    assert "RuntimeError: broken" in log.getvalue()
    assert TOKEN not in log.getvalue()


def test_a_forged_host_is_logged_in_one_line(client: Client, log: io.StringIO) -> None:
    assert client.get("/en/", headers={"host": "evil.example"}).status_code == 400
    (line,) = log.getvalue().splitlines()
    assert "Invalid HTTP_HOST header: 'evil.example'" in line


def test_paths_without_a_token_are_logged_unchanged(
    client: Client, db: None, log: io.StringIO
) -> None:
    client.get("/en/articles/account/")
    assert "Not Found: /en/articles/account/\n" in log.getvalue()
    assert redact_tokens("/en/issues/weekly/2017-07-24/") == "/en/issues/weekly/2017-07-24/"
    assert redact_tokens(f"/by/account/{TOKEN}") == "/by/account/…"
