"""HEAD is GET without a body (RFC 9110, 9.3.2).

Requests are made through WSGI, because Django's test client drops the bodies of HEAD itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from newsletter.delivery.models import Edition, Mailing, Release
from newsletter.editorial.models import Article, Picture
from subscribers import lifecycle
from subscribers.links import tokens
from subscribers.links.tokens import LinkPurpose
from subscribers.models import Subscription
from tests.web.routes import PARAMETER, fill_route, routes

PURPOSES = {
    "confirm": LinkPurpose.CONFIRM,
    "preferences": LinkPurpose.PREFERENCES,
    "unsubscribe": LinkPurpose.UNSUBSCRIBE,
    "u": LinkPurpose.UNSUBSCRIBE,
    "account": LinkPurpose.ACCOUNT,
    "new-address": LinkPurpose.CHANGE_ADDRESS,
}


@pytest.fixture(autouse=True)
def _keep_connection() -> Iterator[None]:
    """Keep the connection open after a request, as Django's test client does."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


class Response:
    """The response that the application hands to the web server."""

    def __init__(self, method: str, path: str) -> None:
        environ: dict[str, Any] = {"REQUEST_METHOD": method, "PATH_INFO": path}
        setup_testing_defaults(environ)
        environ["HTTP_HOST"] = "localhost"
        environ["REMOTE_ADDR"] = "127.0.0.1"
        with closing(WSGIHandler()(environ, self._start)) as response:
            self.body = b"".join(response)

    def _start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        self.status = int(status[:3])
        self.headers = dict(headers)


@pytest.fixture
def paths(army: Article, photo: Picture) -> list[str]:
    """A path of each route, of an existing object where possible."""
    return list(_paths(army, photo))


def _paths(army: Article, photo: Picture) -> Iterator[str]:
    assert army.issue is not None
    reader = lifecycle.add_confirmed(
        "ala@readers.example",
        newsletter=army.newsletter,
        languages=["be"],
        page_language="be",
        source=Subscription.Source.OPERATOR,
    )
    release = Release.objects.create(
        newsletter=army.newsletter, period="2017-07-24", issue=army.issue
    )
    Edition.objects.create(
        mailing=Mailing.objects.create(release=release),
        key="k",
        public_id="Qw3rty",
        language="be",
        subject="Тыдзень",
        html="<p>Так</p>",
        text="Так",
        headers={},
        images=[],
    )
    values = {
        "newsletter": army.newsletter.slug,
        "key": army.issue.key,
        "public_id": "Qw3rty",
        "rest": "issues/",
        "path": str(photo.file.name),
        "name": "20260504-100000-abcdef",
    }
    for route in routes("be"):
        name = next((part for part in route.split("/") if part in PURPOSES), "u")
        slug = "security" if "topics" in route else army.translations.get(language="be").slug
        token = tokens.make(PURPOSES[name], reader.pk)
        yield fill_route(route, **values, slug=slug, token=token)
    yield from ("/be/nothing/", "/be/issues", "/", "/admin/", "/admin/login/", "/be/\0/")


def test_head_answers_like_get_without_a_body(paths: list[str]) -> None:
    for path in paths:
        get, head = Response("GET", path), Response("HEAD", path)
        assert head.body == b"", path
        assert head.status == get.status, path
        assert "Content-Length" in head.headers, path
        # Forms contain a timestamp and a token, which change but keep their length.
        assert int(head.headers["Content-Length"]) == len(get.body), path
        assert head.headers.get("Content-Type") == get.headers.get("Content-Type"), path


def test_most_of_the_paths_exist(paths: list[str]) -> None:
    """The test above compares more than the 404 page."""
    found = [path for path in paths if Response("HEAD", path).status == 200]
    assert len(found) > len(paths) // 2
    assert not [path for path in paths if PARAMETER.search(path)]


def test_an_error_page_has_no_body_either(
    db: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("newsletter.editorial.querysets.IssueQuerySet.public", fail)
    answer = Response("HEAD", "/be/")
    assert (answer.status, answer.body) == (500, b"")


def test_a_get_keeps_its_body(db: None) -> None:
    assert b"User-agent" in Response("GET", "/robots.txt").body
