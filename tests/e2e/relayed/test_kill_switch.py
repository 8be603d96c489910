"""The kill switch in the middle of a mailing (P1).

It is turned on at the desk and off by the operator, who has the keys. Nobody is left out or gets
an email twice.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import RelayedSite
from tests.e2e.content import article, document
from tests.e2e.relayed.test_killed import outcomes
from tests.e2e.site import Site, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.server]
DOMAIN = "stopped.example"
READERS = 120
STEP, CONNECTIONS, CONCURRENCY = 5, 2, 2
IN_FLIGHT = (2 * STEP + CONNECTIONS) * CONCURRENCY
"""The most emails that may still be handed over: the steps permitted before the switch."""
UNSUBSCRIBER = f"reader119@{DOMAIN}"


@pytest.fixture
def desk(chromium: Browser, relayed: RelayedSite) -> Iterator[Page]:
    size = {"width": 1280, "height": 1000}
    with chromium.new_context(base_url=relayed.site.url, viewport=size) as context:  # type: ignore[arg-type]
        context.set_default_timeout(30_000)
        yield context.new_page()


@pytest.fixture
def reader_page(chromium: Browser, relayed: RelayedSite) -> Iterator[Page]:
    with chromium.new_context(base_url=relayed.site.url) as context:
        context.set_default_timeout(30_000)
        yield context.new_page()


def sign_in(page: Page, site: Site) -> None:
    page.goto("/admin/")
    page.get_by_label("User name").fill("editor")
    page.get_by_label("Password").fill(site.password)
    page.get_by_role("button", name="Continue").click()


def unsubscribe_path(site: Site) -> str:
    """Return the path of the last reader's unsubscribe page."""
    return site.shell(
        "from django.urls import reverse\n"
        "from django.utils import translation\n"
        "from subscribers.links import tokens\n"
        "from subscribers.models import Subscription\n"
        "last = Subscription.objects.filter(newsletter__slug='stopped').latest('pk')\n"
        "token = tokens.make(tokens.LinkPurpose.UNSUBSCRIBE, last.pk)\n"
        "with translation.override('en'):\n"
        "    print(reverse('subscribers:unsubscribe', args=[token]))\n"
    )


def test_p1_the_kill_switch_stops_a_mailing_and_loses_nobody(
    desk: Page, reader_page: Page, relayed: RelayedSite
) -> None:
    site, relay = relayed.site, relayed.relay
    site.import_document(document("stopped", {"2021-03-01": [article(en="Stopped")]}))
    site.add_readers("stopped", f"reader{{0}}@{DOMAIN}", READERS)
    unsubscribe = unsubscribe_path(site)
    sign_in(desk, site)
    desk.get_by_role("link", name="Emergency: kill switch").click()
    expect(desk.get_by_text("Everyone is signed out of the desk")).to_be_visible()
    relay.pause = 0.2
    site.run("send_issue", "stopped", "2021-03-01")
    eventually(lambda: len(relay.recipients(DOMAIN)) >= 10, seconds=30, what="10 sent", every=0.02)
    desk.get_by_role("button", name="Turn on the kill switch now").click()
    try:
        handed_over = len(relay.recipients(DOMAIN))
        expect(desk.get_by_role("heading", name="The kill switch is on")).to_be_visible()
        relay.pause = 0.0
        time.sleep(3)
        stopped = len(relay.recipients(DOMAIN))
        assert handed_over <= stopped <= handed_over + IN_FLIGHT < READERS

        # The session is over, whatever its cookie says, and nothing can be sent or exported.
        desk.goto("/admin/delivery/mailing/")
        expect(desk.get_by_role("heading", name="The kill switch is on")).to_be_visible()
        site.run("send_issue", "stopped", "2021-03-01", status=1)

        # Readers can still read, unsubscribe and sign up.
        reader_page.goto("/en/issues/stopped/2021-03-01/")
        expect(reader_page.get_by_role("heading", name="Stopped").first).to_be_visible()
        reader_page.goto(unsubscribe)
        reader_page.get_by_role("button", name="Unsubscribe", exact=True).click()
        expect(reader_page.get_by_role("heading", level=1)).to_have_text("You’ve been unsubscribed")
        reader_page.goto("/en/subscribe/?newsletter=stopped")
        reader_page.locator("main input[type=email]").fill(f"new@{DOMAIN}")
        reader_page.locator("main form button").first.click()
        expect(reader_page.get_by_role("heading", level=1)).to_have_text("Check your inbox")
        assert len(relay.recipients(DOMAIN)) == stopped
    finally:
        relay.pause = 0.0
        assert "The kill switch is off." in site.run("kill_switch", "off")

    # After an emergency, a person must resume the mailing.
    sign_in(desk, site)
    (paused,) = site.audit("Stopped")
    desk.goto(f"/admin/delivery/mailing/{paused['mailing']}/change/")
    desk.get_by_role("link", name="Resume").click()
    desk.get_by_role("button", name="Resume").click()
    eventually(lambda: relay.messages(f"new@{DOMAIN}"), seconds=60, what="the confirmation")
    (finding,) = eventually(
        lambda: finished(site), seconds=60, what="the mailing is finished", every=2
    )
    assert finding["faults"] == []
    accepted, account = relay.recipients(DOMAIN), outcomes(site, finding["mailing"])
    assert accepted.pop(f"new@{DOMAIN}") == 1
    assert set(accepted.values()) == {1}, "somebody got it twice"
    assert len(account) == READERS
    assert account.pop(UNSUBSCRIBER) == "SKIPPED"
    assert set(account.values()) == {"SENT"}
    assert set(account) == set(accepted), "somebody was left out"


def finished(site: Site) -> list[dict[str, object]]:
    site.shell("from newsletter.celery import app; app.send_task('delivery.tick')")
    return [finding for finding in site.audit("Stopped") if finding["state"] == "finished"]
