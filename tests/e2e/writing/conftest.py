"""A newsroom of three writers, and browsers in which they are signed in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.site import Site
from tests.e2e.writing.writers import SETUP, Open, sign_in


@pytest.fixture(scope="session")
def newsroom(site: Site) -> Site:
    site.shell(SETUP)
    return site


@pytest.fixture
def opened(newsroom: Site, chromium: Browser) -> Iterator[Open]:
    """Return a function that signs somebody in, in a separate browser, and opens a text."""
    with ExitStack() as stack:

        def open_text(
            name: str, article: int, language: str = "be", *, scripts: bool = True
        ) -> Page:
            context = stack.enter_context(
                chromium.new_context(
                    base_url=newsroom.url,
                    viewport={"width": 1280, "height": 1000},
                    java_script_enabled=scripts,
                )
            )
            context.set_default_timeout(20_000)
            page = sign_in(context, name)
            page.goto(f"/admin/editorial/article/{article}/change/?language={language}")
            return page

        yield open_text
