"""robots.txt (RFC 9309): what is private is in it, what is public is not."""

from __future__ import annotations

from urllib.robotparser import RobotFileParser

import pytest
from django.conf import settings
from django.test import Client

from newsletter.lib.private_paths import LOCALIZED_PRIVATE_PREFIXES, PRIVATE_PREFIXES
from tests.web.routes import PARAMETER, fill_route, routes

LANGUAGES = ["en", "be", "ru"]


@pytest.fixture
def text(client: Client) -> str:
    return client.get("/robots.txt").content.decode()


@pytest.fixture
def robot(text: str) -> RobotFileParser:
    parser = RobotFileParser()
    parser.parse(text.splitlines())
    return parser


def is_private(route: str) -> bool:
    """A reader's token is in it, or it is for this machine alone."""
    return "token" in PARAMETER.findall(route) or route.startswith("/inbox/")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_private_route_of_the_site_is_disallowed(
    robot: RobotFileParser, language: str
) -> None:
    private = [route for route in routes(language) if is_private(route)]
    assert len(private) > 15
    for route in (*private, "/admin/", "/admin/login/"):
        assert not robot.can_fetch("anybot", fill_route(route, token="AbC-_1", name="x")), route


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_other_route_is_allowed(robot: RobotFileParser, language: str) -> None:
    """But for pages that lie below a private path and hold no token."""
    public = [route for route in routes(language) if not is_private(route)]
    below = {f"/{language}/{path}" for path in NO_TOKEN}
    assert below < set(public)
    for route in set(public) - below:
        assert robot.can_fetch("anybot", fill_route(route, other="account")), route


NO_TOKEN = (
    "preferences/",
    "preferences/sent/",
    "account/deleted/",
    "account/change-address/sent/",
    "account/change-address/done/",
)


def test_each_private_path_leads_to_something() -> None:
    """A route that is renamed leaves nothing behind in the list."""
    found = [*routes("be"), "/admin/"]
    for path in (*PRIVATE_PREFIXES, *(f"be/{name}" for name in LOCALIZED_PRIVATE_PREFIXES)):
        assert [route for route in found if route.startswith(f"/{path}/")], path


def test_links_with_the_old_prefix_of_belarusian_are_private_too(robot: RobotFileParser) -> None:
    assert not robot.can_fetch("anybot", "/by/account/AbC-_1/")
    assert robot.can_fetch("anybot", "/by/issues/")


def test_an_article_may_be_called_like_a_private_page(robot: RobotFileParser) -> None:
    for name in LOCALIZED_PRIVATE_PREFIXES:
        assert robot.can_fetch("anybot", f"/en/articles/{name}/")


def test_robots_names_the_sitemap(text: str) -> None:
    assert f"\nSitemap: {settings.SITE_URL}/sitemap.xml\n" in text
