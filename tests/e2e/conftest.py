"""Two running sites for a session: one with the local mailbox, one behind a relay that answers
with the recipient's address in its error text. Tests share them, each with a newsletter of its
own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.e2e import servers
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
    """Running sites come first, as they take the longest, and what waits for the clock last:
    others work meanwhile."""
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    order = ("early", "e2e", "", "waits")
    found = (name for name in ("early", "waits", "e2e") if item.get_closest_marker(name))
    return order.index(next(found, ""))


@contextmanager
def running(folder_of: pytest.TempPathFactory, name: str, **environment: str) -> Iterator[Site]:
    """A site with its own folder, ports, database and broker; nothing of it stays."""
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
    """The newsroom "weekly", and a mailbox that everything goes to."""
    with running(tmp_path_factory, "site") as begun:
        yield begun


@dataclass(frozen=True)
class Hidden:
    """A site behind the relay, and the relay."""

    site: Site
    relay: EchoingRelay


@pytest.fixture(scope="session")
def hidden(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hidden]:
    """Short leases and pauses, small batches: what takes minutes elsewhere takes seconds here."""
    with EchoingRelay() as relay:
        brisk = {
            "DELIVERY_TRANSPORTS": f"smtp://127.0.0.1:{relay.port}?connections=2",
            "SEND_BATCH_SIZE": "40",
            "SEND_STEP": "5",
            "SEND_LEASE_SECONDS": "8",
            "SEND_RETRY_SECONDS": "1",
        }
        with running(tmp_path_factory, "hidden", **brisk) as begun:
            yield Hidden(begun, relay)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Ended with the module: while Playwright runs, this thread counts as an event loop's."""
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
