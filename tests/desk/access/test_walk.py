"""I5: every URL of the desk × every role × rows of the same newsletter and of another."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import URLPattern, URLResolver, reverse

from newsletter.desk.access.roles import ROLES, TRANSLATOR
from newsletter.desk.sign_in import urls as sign_in_urls
from newsletter.editorial.models import (
    ArticleTranslation,
    Issue,
    Membership,
    Newsroom,
    Revision,
)
from tests.desk.access.pages import (
    FOR_ADMINISTRATORS,
    ONES_OWN,
    OPEN_TO_ALL,
    PAGES,
    TESTED_IN_OTHER_WAYS,
    WITHOUT_SIGNING_IN,
    About,
    Page,
)
from tests.desk.access.world import FOREIGN, Side, World, build
from tests.desk.conftest import hire

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(newsroom: Newsroom) -> World:
    return build(newsroom)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Log nothing: a traceback for each of a thousand refusals takes longer than the requests."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_every_url_is_listed() -> None:
    """A new page has to say who may open it."""
    names = set(_names(admin.site.urls[0]))
    listed = {*PAGES, *FOR_ADMINISTRATORS, *WITHOUT_SIGNING_IN, *TESTED_IN_OTHER_WAYS}
    assert names == listed


def test_the_pages_of_ones_own_account_ask_who_it_is(world: World, client: Client) -> None:
    patterns = {pattern.name: pattern for pattern in sign_in_urls.urlpatterns}
    assert set(patterns) == OPEN_TO_ALL | ONES_OWN
    for name in ONES_OWN:
        takes_id = "pk" in patterns[name].pattern.converters
        url = reverse(name, args=[1] if takes_id else [])
        for answer in (client.get(url), client.post(url)):
            assert answer.status_code in {302, 405}, name
            assert answer.status_code == 405 or "/admin/login/" in answer["Location"], name


def _names(patterns: list[URLPattern | URLResolver]) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _names(pattern.url_patterns)
        elif pattern.name:
            yield pattern.name


@pytest.mark.parametrize("role", ROLES)
def test_a_role_for_one_newsletter_opens_nothing_of_another(role: str, world: World) -> None:
    client = hire("ina", role, world.own.newsletter)
    before = _state()
    faults: list[str] = []
    for name, page in PAGES.items():
        holds = page.needs in {"", *ROLES[role].permissions}
        # Without the permission, it doesn't matter whose row it is.
        for side in (world.own, world.foreign) if holds else (world.foreign,):
            is_open = holds and page.about != About.NEWSROOM
            if page.about == About.ROW:
                is_open = is_open and side is world.own
            faults += _visit(client, name, page, side, world, is_open=is_open)
    assert not faults, "\n".join(faults)
    assert _state() == before


@pytest.mark.parametrize("role", ["Publisher", "Subscriber manager"])
def test_a_role_for_all_newsletters_opens_both(role: str, world: World) -> None:
    client = hire("ina", role)
    faults: list[str] = []
    for name, page in PAGES.items():
        is_open = page.needs in {"", *ROLES[role].permissions}
        faults += _visit(
            client, name, page, world.foreign, world, is_open=is_open, may_name_it=True
        )
    assert not faults, "\n".join(faults)


def test_without_any_role_only_the_bare_desk_opens(world: World) -> None:
    """As for a role that is taken away while somebody is signed in."""
    client = hire("ina", TRANSLATOR)
    faults: list[str] = []
    Membership.objects.all().delete()
    for name, page in PAGES.items():
        faults += _visit(client, name, page, world.own, world, is_open=not page.needs)
    assert not faults, "\n".join(faults)


def _visit(
    client: Client,
    name: str,
    page: Page,
    side: Side,
    world: World,
    *,
    is_open: bool,
    may_name_it: bool = False,
) -> Iterator[str]:
    """Open the page, and yield what is wrong with the answer. A POST is refused, too."""
    url = reverse(f"admin:{name}", args=page.args(side, world))
    if is_open:
        if not page.is_post:
            answer = client.get(url)
            if _is_refused(answer) and not (page.is_empty and answer.status_code == 404):
                yield f"{name} of {side.newsletter.slug} is refused: {answer.status_code}"
            if not may_name_it and FOREIGN in answer.content.decode():
                yield f"{name} of {side.newsletter.slug} shows the foreign newsletter"
        return
    answers = [client.post(url, {"post": "yes"})]
    if not page.is_post:
        answers.append(client.get(url))
    for answer in answers:
        if not _is_refused(answer):
            yield f"{name} of {side.newsletter.slug} is open: {answer.status_code}"


def _is_refused(answer: object) -> bool:
    status = answer.status_code  # type: ignore[attr-defined]
    # Django sends people home whose list doesn't contain the row.
    sent_home = status == 302 and answer["Location"] == reverse("admin:index")  # type: ignore[index]
    return status in {403, 404, 405} or sent_home


def _state() -> tuple[object, ...]:
    return (
        list(ArticleTranslation.objects.order_by("pk").values()),
        list(Issue.objects.order_by("pk").values()),
        Revision.objects.count(),
        LogEntry.objects.count(),
    )
