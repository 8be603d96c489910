"""The emergency brake, from the desk's first page to the operator's `thaw` (issue 5)."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.site import Site

pytestmark = [pytest.mark.e2e, pytest.mark.server, pytest.mark.xdist_group("site")]


def sign_in(page: Page, site: Site) -> None:
    page.goto("/admin/")
    page.get_by_label("Username").fill("editor")
    page.get_by_label("Password").fill(site.password)
    page.get_by_role("button", name="Log in").click()


def test_an_editor_stops_everything_and_the_operator_ends_it(desk_page: Page, site: Site) -> None:
    page = desk_page
    sign_in(page, site)
    page.get_by_role("link", name="Emergency: stop everything").click()
    expect(page.get_by_text("Everybody is signed out of the desk")).to_be_visible()
    page.get_by_role("button", name="Stop everything now").click()
    try:
        expect(page.get_by_role("heading", name="The site is frozen")).to_be_visible()
        page.goto("/admin/")
        expect(page.get_by_label("Password")).to_have_count(0)
        page.goto("/en/")
        expect(page.get_by_role("main")).to_be_visible()
    finally:
        assert "Thawed." in site.run("thaw")
    sign_in(page, site)
    expect(page.get_by_role("link", name="Emergency: stop everything")).to_be_visible()
