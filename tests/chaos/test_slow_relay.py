"""At a slow relay a crash leaves few readers in doubt, with the settings as they are by default."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.servers import wait_until
from tests.chaos.site import Site
from tests.transport.relay import Relay

pytestmark = [pytest.mark.server, pytest.mark.chaos]
DEFAULTS = {"SEND_STEP": "50", "SEND_BATCH_SIZE": "1000", "SEND_LEASE_SECONDS": "120"}
CONNECTIONS = 8
"""The default of each process."""


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Site]:
    """A relay that takes a message a second over all its connections together."""
    site = Site(tmp_path, f"--pace={CONNECTIONS}.0")
    site.environment.update(DEFAULTS)
    site.set_up()
    site.environment["DELIVERY_TRANSPORTS"] = f"smtp://127.0.0.1:{site.sink.port}"
    yield site
    site.stop()


def state(site: Site) -> str:
    """Return the mailing's state. Read it without Django, which takes a second to start."""
    with sqlite3.connect(site.folder / "var" / "tydzen.sqlite3") as database:
        return str(database.execute("SELECT state FROM delivery_mailing").fetchone()[0])


def test_e6_after_a_crash_at_a_message_a_second_at_most_twenty_are_unknown(slow: Site) -> None:
    """P1; issue 11, criterion 7: the worker is killed, and the broker loses everything."""
    slow.prepare_mailing(500)
    slow.sink.start_and_wait()
    worker = slow.start_worker()
    wait_until("two messages on each connection", lambda: len(slow.sink.accepted()) >= 16, 120)
    worker.kill_all()
    slow.broker.lose_everything()
    fast = slow.switch_relay()
    slow.start_worker()
    wait_until("the end of the mailing", lambda: state(slow) == "finished", 90)
    report = slow.report()
    accepted = [*slow.sink.accepted(), *fast.accepted()]
    assert 0 < report["unknown"] <= 20, "the messages that were in flight, and few more"
    assert report["sent"] + report["unknown"] == 500
    assert len(set(accepted)) == len(accepted) >= report["sent"]


def test_d9_two_processes_of_eight_share_a_relay_that_allows_eight(tmp_path: Path) -> None:
    """Issue 11, criterion 2, with a real worker: everybody gets it in the first round."""
    relay = Relay(limit=CONNECTIONS)
    relay.delays["."] = 0.05
    site = Site(tmp_path)
    site.environment.update(SEND_BATCH_SIZE="100")
    site.environment["DELIVERY_TRANSPORTS"] = f"smtp://127.0.0.1:{relay.port}"
    try:
        site.set_up()
        site.prepare_mailing(1000)
        site.start_worker()
        wait_until("the end of the mailing", lambda: state(site) == "finished", 90)
        rounds = site.script("print(Batch.objects.filter(round__gt=0).count())").split()[-1]
        report = site.report()
    finally:
        site.stop()
        relay.close()
    assert (report["sent"], rounds) == (1000, "0")
    assert len(relay.messages) == 1000
    assert relay.most_at_once == CONNECTIONS
    assert relay.refused, "both wanted more than the relay allows"
