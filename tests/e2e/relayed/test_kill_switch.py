"""The emergency brake in the midst of a send-out: pressed at the desk, released by the operator,
who has the keys; nobody forgotten, nobody twice (P1)."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Hidden
from tests.e2e.content import article, document
from tests.e2e.relayed.test_killed import outcomes
from tests.e2e.site import Site, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.server]
DOMAIN = "frozen.example"
READERS = 120
STEP, CONNECTIONS, AT_WORK = 5, 2, 2
UNDER_WAY = (2 * STEP + CONNECTIONS) * AT_WORK
"""What may still be handed over after the brake: the steps that were permitted before it."""
LEAVER = f"reader119@{DOMAIN}"


@pytest.fixture
def desk(chromium: Browser, hidden: Hidden) -> Iterator[Page]:
    size = {"width": 1280, "height": 1000}
    with chromium.new_context(base_url=hidden.site.url, viewport=size) as context:  # type: ignore[arg-type]
        context.set_default_timeout(30_000)
        yield context.new_page()


@pytest.fixture
def reader_page(chromium: Browser, hidden: Hidden) -> Iterator[Page]:
    with chromium.new_context(base_url=hidden.site.url) as context:
        context.set_default_timeout(30_000)
        yield context.new_page()


def sign_in(page: Page, site: Site) -> None:
    page.goto("/admin/")
    page.get_by_label("Username").fill("editor")
    page.get_by_label("Password").fill(site.password)
    page.get_by_role("button", name="Log in").click()


def leaving_page(site: Site) -> str:
    """Where the last reader's mails lead to for leaving."""
    return site.shell(
        "from django.urls import reverse\n"
        "from django.utils import translation\n"
        "from subscribers import tokens\n"
        "from subscribers.models import Subscription\n"
        "last = Subscription.objects.filter(newsletter__slug='frozen').latest('pk')\n"
        "token = tokens.make(tokens.LinkPurpose.UNSUBSCRIBE, last.pk)\n"
        "with translation.override('en'):\n"
        "    print(reverse('subscribers:unsubscribe', args=[token]))\n"
    )


def test_the_brake_in_the_midst_of_a_send_out(
    desk: Page, reader_page: Page, hidden: Hidden
) -> None:
    site, relay = hidden.site, hidden.relay
    site.bring_in(document("frozen", {"2021-03-01": [article(en="Stopped")]}))
    site.add_readers("frozen", f"reader{{0}}@{DOMAIN}", READERS)
    leave = leaving_page(site)
    sign_in(desk, site)
    desk.get_by_role("link", name="Emergency: kill switch").click()
    expect(desk.get_by_text("Everybody is signed out of the desk")).to_be_visible()
    relay.pause = 0.2
    site.run("send_issue", "frozen", "2021-03-01")
    eventually(lambda: len(relay.recipients(DOMAIN)) >= 10, seconds=30, what="10 sent", every=0.02)
    desk.get_by_role("button", name="Turn on the kill switch now").click()
    try:
        at_once = len(relay.recipients(DOMAIN))
        expect(desk.get_by_role("heading", name="The kill switch is on")).to_be_visible()
        relay.pause = 0.0
        time.sleep(3)
        stopped = len(relay.recipients(DOMAIN))
        assert at_once <= stopped <= at_once + UNDER_WAY < READERS

        # The session is over, whatever its cookie says, and nothing can be sent or exported.
        desk.goto("/admin/delivery/mailing/")
        expect(desk.get_by_role("heading", name="The kill switch is on")).to_be_visible()
        site.run("send_issue", "frozen", "2021-03-01", status=1)

        # Readers read, leave, and sign up.
        reader_page.goto("/en/issues/frozen/2021-03-01/")
        expect(reader_page.get_by_role("heading", name="Stopped").first).to_be_visible()
        reader_page.goto(leave)
        reader_page.get_by_role("button", name="Unsubscribe", exact=True).click()
        expect(reader_page.get_by_role("heading", level=1)).to_have_text("You’ve been unsubscribed")
        reader_page.goto("/en/subscribe/?newsletter=frozen")
        reader_page.locator("main input[type=email]").fill(f"new@{DOMAIN}")
        reader_page.locator("main form button").first.click()
        expect(reader_page.get_by_role("heading", level=1)).to_have_text("Check your inbox")
        assert len(relay.recipients(DOMAIN)) == stopped
    finally:
        relay.pause = 0.0
        assert "The kill switch is off." in site.run("kill_switch", "off")

    # After an emergency a person says that the send-out goes on.
    sign_in(desk, site)
    (paused,) = site.audit("Frozen")
    desk.goto(f"/admin/delivery/mailing/{paused['mailing']}/change/")
    desk.get_by_role("link", name="Resume").click()
    desk.get_by_role("button", name="Resume").click()
    eventually(lambda: relay.messages(f"new@{DOMAIN}"), seconds=60, what="the confirmation")
    (finding,) = eventually(lambda: finished(site), seconds=60, what="the end", every=2)
    assert finding["faults"] == []
    accepted, account = relay.recipients(DOMAIN), outcomes(site, finding["mailing"])
    assert accepted.pop(f"new@{DOMAIN}") == 1
    assert set(accepted.values()) == {1}, "somebody got it twice"
    assert len(account) == READERS
    assert account.pop(LEAVER) == "SKIPPED"
    assert set(account.values()) == {"SENT"}
    assert set(account) == set(accepted), "somebody was forgotten"


def finished(site: Site) -> list[dict[str, object]]:
    site.shell("from newsletter.celery import app; app.send_task('delivery.tick')")
    return [finding for finding in site.audit("Frozen") if finding["state"] == "finished"]
