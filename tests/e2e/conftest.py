"""Two running sites for a session: one with the local mailbox, one behind a relay whose error texts
contain the recipient's address. Tests share them, and each uses its own newsletter."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.e2e import feedback, servers
from tests.e2e.relay import EchoingRelay
from tests.e2e.site import Site

CHROMIUM = "/usr/bin/chromium"
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the slow tests of running sites first, and those that wait for the clock last, so that
    all workers stay busy."""
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    order = ("early", "e2e", "", "waits")
    found = (name for name in ("early", "waits", "e2e") if item.get_closest_marker(name))
    return order.index(next(found, ""))


@contextmanager
def running(folder_of: pytest.TempPathFactory, name: str, **environment: str) -> Iterator[Site]:
    """Run a site with its own folder, ports, database and broker, and remove it afterwards."""
    with (
        servers.database(f"tydzen_e2e_{name}_{os.getpid()}") as database,
        servers.broker() as broker,
    ):
        site = Site(folder_of.mktemp(name), {**database, **broker, **environment})
        site.prepare()
        site.start()
        try:
            yield site
        finally:
            site.stop()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The newsroom “Weekly”, with a local mailbox that receives every email."""
    with running(tmp_path_factory, "site") as started:
        yield started


@dataclass(frozen=True)
class RelayedSite:
    """A site that sends through the relay, and the relay."""

    site: Site
    relay: EchoingRelay


@pytest.fixture(scope="session")
def relayed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RelayedSite]:
    """With short leases and pauses and small batches, so that minutes become seconds."""
    with EchoingRelay() as relay:
        fast_settings = {
            "DELIVERY_TRANSPORTS": f"smtp://127.0.0.1:{relay.port}?connections=2",
            "SEND_BATCH_SIZE": "40",
            "SEND_STEP": "5",
            "SEND_LEASE_SECONDS": "8",
            "SEND_RETRY_SECONDS": "1",
            **feedback.ENVIRONMENT,
        }
        with running(tmp_path_factory, "relayed", **fast_settings) as started:
            yield RelayedSite(started, relay)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Per module: while Playwright runs, Django believes that this thread runs an event loop."""
    path = CHROMIUM if os.path.exists(CHROMIUM) else shutil.which("chromium")
    if path is None:
        pytest.skip("no Chromium on this machine (Debian: apt install chromium)")
    expect.set_options(timeout=20_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def page_without_scripts(chromium: Browser, site: Site) -> Iterator[Page]:
    with chromium.new_context(base_url=site.url, java_script_enabled=False) as context:
        context.set_default_timeout(30_000)
        yield context.new_page()


@pytest.fixture
def desk_page(chromium: Browser, site: Site) -> Iterator[Page]:
    with chromium.new_context(base_url=site.url, viewport={"width": 1280, "height": 1000}) as desk:
        desk.set_default_timeout(30_000)
        yield desk.new_page()
