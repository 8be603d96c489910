"""HEAD is GET without a body (RFC 9110, 9.3.2): as the web server gets it, not as Django's test
client does, which drops bodies itself."""

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
def _connection_stays() -> Iterator[None]:
    """As in Django's test client: the test's transaction outlives a request."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


class Answer:
    """What the application hands to the web server."""

    def __init__(self, method: str, path: str) -> None:
        environ: dict[str, Any] = {"REQUEST_METHOD": method, "PATH_INFO": path}
        setup_testing_defaults(environ)
        environ["HTTP_HOST"] = "localhost"
        environ["REMOTE_ADDR"] = "127.0.0.1"
        with closing(WSGIHandler()(environ, self._start)) as response:  # type: ignore[arg-type]
            self.body = b"".join(response)

    def _start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        self.status = int(status[:3])
        self.headers = dict(headers)


@pytest.fixture
def paths(army: Article, photo: Picture) -> list[str]:
    """A path of each route, for something that exists where the site has it."""
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
        "path": photo.file.name,
        "name": "20260504-100000-abcdef",
    }
    for route in routes("be"):
        place = next((part for part in route.split("/") if part in PURPOSES), "u")
        slug = "security" if "topics" in route else army.translations.get(language="be").slug
        token = tokens.make(PURPOSES[place], reader.pk)
        yield fill_route(route, **values, slug=slug, token=token)
    yield from ("/be/nothing/", "/be/issues", "/", "/admin/", "/admin/login/", "/be/\0/")


def test_a_page_answers_head_as_get_without_its_body(paths: list[str]) -> None:
    for path in paths:
        got, asked = Answer("GET", path), Answer("HEAD", path)
        assert asked.body == b"", path
        assert asked.status == got.status, path
        assert "Content-Length" in asked.headers, path
        # Pages with a form hold a stamp and a token, new each time but of the same length.
        assert int(asked.headers["Content-Length"]) == len(got.body), path
        assert asked.headers.get("Content-Type") == got.headers.get("Content-Type"), path


def test_most_of_the_paths_are_pages(paths: list[str]) -> None:
    """What is compared above is not only the page for what is not found."""
    found = [path for path in paths if Answer("HEAD", path).status == 200]
    assert len(found) > len(paths) // 2
    assert not [path for path in paths if PARAMETER.search(path)]


def test_an_error_page_has_no_body_either(
    db: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("newsletter.editorial.querysets.IssueQuerySet.public", fail)
    answer = Answer("HEAD", "/be/")
    assert (answer.status, answer.body) == (500, b"")


def test_a_get_keeps_its_body(db: None) -> None:
    assert b"User-agent" in Answer("GET", "/robots.txt").body
