"""Malformed paths and cookies are answered without an error or a traceback in the log."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from django.test import Client

from newsletter.editorial.models import Issue, Picture
from tests.web.routes import PARAMETER, fill_route, routes

MALFORMED = {
    "NUL": "%00",
    "NUL inside": "a%00b",
    "not UTF-8": "%ff",
    "parent": "..",
    "parent, slash": "..%2f..%2fetc%2fpasswd",
    "line break": "%0d%0aX-Injected:%20yes",
    "too long for a file": "a" * 300,
    "too long for a path": "a" * 5000,
    "long, with folders": "a%2f" * 2000,
    "number": "9" * 30,
    "number of another script": "%D9%A3",
    "no such day": "2026-99-99",
}


@pytest.mark.parametrize("value", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_path_is_not_found(
    published: Issue, caplog: pytest.LogCaptureFixture, value: str
) -> None:
    # The local mailbox only answers to this host name.
    client = Client(raise_request_exception=False, headers={"host": "localhost"})
    for route in routes("be"):
        if PARAMETER.search(route):
            named = {"newsletter": "weekly"} if "issues" in route else {}
            answer = client.get(fill_route(route, other=value, **named))
            assert not errors_in(caplog), route
            assert answer.status_code == 404 or route.startswith("/by/"), route
            assert "X-Injected" not in answer


@pytest.mark.parametrize("name", ["NUL", "parent, slash", "too long for a path", "number"])
def test_a_post_to_a_malformed_path_is_refused(
    published: Issue, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    client = Client(raise_request_exception=False, headers={"host": "localhost"})
    for route in routes("be"):
        if PARAMETER.search(route):
            answer = client.post(fill_route(route, other=MALFORMED[name]))
            assert not errors_in(caplog), route
            assert answer.status_code in {404, 405} or route.startswith("/by/"), route


@pytest.mark.parametrize("cookie", ["sessionid", "csrftoken"])
def test_a_cookie_with_a_nul_is_refused(
    db: None, caplog: pytest.LogCaptureFixture, cookie: str
) -> None:
    """PostgreSQL would refuse to query such a session. `\\000` is a cookie's quoting of NUL."""
    client = Client(raise_request_exception=False, headers={"cookie": f'{cookie}="session\\000x"'})
    for path in ("/en/", "/en/articles/none/", "/admin/login/"):
        assert client.get(path).status_code == 404
        assert not errors_in(caplog)


def test_a_media_file_is_served(client: Client, photo: Picture) -> None:
    answer = client.get(photo.file.url)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
    assert answer.getvalue() == Path(photo.file.path).read_bytes()
    assert client.get("/media/pictures/").status_code == 404
    assert client.post(photo.file.url).status_code == 405


def errors_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the messages logged as errors or with a traceback."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.exc_info or record.levelno >= logging.ERROR
    ]
