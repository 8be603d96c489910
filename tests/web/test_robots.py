"""robots.txt (RFC 9309) disallows private URLs and allows public ones."""

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
    """Tell whether the route contains a reader's token or is only for this machine."""
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
    """The exceptions are pages below a private path that contain no token."""
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


def test_each_private_path_has_a_route() -> None:
    """A renamed route must not leave its old path in the list."""
    found = [*routes("be"), "/admin/"]
    for path in (*PRIVATE_PREFIXES, *(f"be/{name}" for name in LOCALIZED_PRIVATE_PREFIXES)):
        assert [route for route in found if route.startswith(f"/{path}/")], path


def test_private_paths_below_the_belarusian_alias_are_disallowed(robot: RobotFileParser) -> None:
    assert not robot.can_fetch("anybot", "/by/account/AbC-_1/")
    assert robot.can_fetch("anybot", "/by/issues/")


def test_an_article_may_share_its_slug_with_a_private_page(robot: RobotFileParser) -> None:
    for name in LOCALIZED_PRIVATE_PREFIXES:
        assert robot.can_fetch("anybot", f"/en/articles/{name}/")


def test_robots_names_the_sitemap(text: str) -> None:
    assert f"\nSitemap: {settings.SITE_URL}/sitemap.xml\n" in text
