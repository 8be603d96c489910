"""A worker that starts again goes on at once; a broker that dies stops nothing for long."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.chaos.servers import CONNECTIONS, Server, wait_until
from tests.chaos.site import STEP, Site

pytestmark = [pytest.mark.server, pytest.mark.chaos]
LEASE = 20
CHILDREN = 2
MakeSite = Callable[..., Site]


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[MakeSite]:
    sites: list[Site] = []

    def make(*relay: str, name: str = "site") -> Site:
        (tmp_path / name).mkdir()
        sites.append(Site(tmp_path / name, *relay))
        sites[-1].environment["SEND_LEASE_SECONDS"] = str(LEASE)
        sites[-1].set_up()
        return sites[-1]

    yield make
    for site in sites:
        site.stop()


def state(site: Site) -> str:
    """Return the mailing's state. Read it without Django, which takes a second to start."""
    with sqlite3.connect(site.folder / "var" / "tydzen.sqlite3") as database:
        return str(database.execute("SELECT state FROM delivery_mailing").fetchone()[0])


def mailings(site: Site, state: str) -> int:
    with sqlite3.connect(site.folder / "var" / "tydzen.sqlite3") as database:
        query = "SELECT count(*) FROM delivery_mailing WHERE state = ?"
        return int(database.execute(query, [state]).fetchone()[0])


def batches(site: Site, state: str) -> int:
    with sqlite3.connect(site.folder / "var" / "tydzen.sqlite3") as database:
        query = "SELECT count(*) FROM delivery_batch WHERE state = ?"
        return int(database.execute(query, [state]).fetchone()[0])


def execute(site: Site, statement: str) -> None:
    with sqlite3.connect(site.folder / "var" / "tydzen.sqlite3", timeout=20) as database:
        database.execute(statement)


def start_beat(site: Site) -> Server:
    options = ["--scheduler=celery.beat.Scheduler", "--pidfile="]
    command = [sys.executable, "-m", "celery", "-A", "newsletter", "beat", *options]
    beat = Server("beat", command, site.environment, site.folder / "beat.log")
    beat.start()
    return beat


@pytest.mark.parametrize("with_beat", [False, True], ids=["without beat", "with beat"])
def test_after_kill_9_of_the_only_worker_its_successor_goes_on_at_once(
    make_site: MakeSite, *, with_beat: bool
) -> None:
    """Criterion: an untouched batch within 5 s, everything within the lease plus 10 s."""
    site = make_site("--pace=0.2")
    site.prepare_mailing(300)
    site.sink.start_and_wait()
    beat = start_beat(site) if with_beat else None
    worker = site.start_worker()
    wait_until("20 messages", lambda: len(site.sink.accepted()) >= 20)
    worker.kill_all()
    accepted = len(site.sink.accepted())
    assert batches(site, "claimed") == CHILDREN
    assert batches(site, "open") >= 1
    time.sleep(0.5)
    killed = time.monotonic()
    site.start_worker()
    wait_until("an untouched batch", lambda: len(site.sink.accepted()) > accepted + CONNECTIONS, 5)
    within = LEASE + 10 - (time.monotonic() - killed)
    wait_until("the batches in doubt", lambda: batches(site, "claimed") <= CHILDREN, within)
    wait_until("the end of the mailing", lambda: state(site) == "finished", 60)
    report = site.report()
    assert report["sent"] + report["unknown"] == 300
    assert report["unknown"] <= CHILDREN * (2 * STEP + CONNECTIONS)
    times = [site.sink.accepted().count(number) for number in range(300)]
    assert max(times) == 1
    assert times.count(0) <= report["unknown"]
    if beat is not None:
        beat.stop()


def test_after_the_broker_died_in_mid_send_the_next_issue_goes_out(make_site: MakeSite) -> None:
    """Under a bare `manage.py worker` without beat, even if its pools end with the broker."""
    site = make_site("--pace=0.2")
    site.prepare_mailing(150)
    site.sink.start_and_wait()
    worker = site.start_worker()
    wait_until("20 messages", lambda: len(site.sink.accepted()) >= 20)
    site.broker.send_signal(signal.SIGKILL)
    assert site.broker.process is not None
    site.broker.process.wait()
    # Celery sometimes ends when kombu can't restore what is unacknowledged.
    _, control, bulk = worker.parts()
    os.kill(control, signal.SIGKILL)
    os.kill(bulk, signal.SIGKILL)
    time.sleep(2)
    site.broker.lose_everything()
    wait_until("the end of the mailing", lambda: state(site) == "finished", 90)
    site.script(
        "from datetime import date\n"
        "from newsletter.editorial.models import Newsletter\n"
        "from newsletter.delivery.planning import start\n"
        "from tests.chaos.newsroom import create_issue\n"
        "issue = create_issue(Newsletter.objects.get(), date(2017, 7, 31))\n"
        "start.send_now(issue, by=None)\n"
    )
    wait_until("the next issue", lambda: mailings(site, "finished") == 2, 60)
    assert worker.running()
    assert sorted(site.sink.accepted()) == sorted([*range(150), *range(150)])


def test_a_storm_of_batches_delays_neither_tick_nor_confirmation(make_site: MakeSite) -> None:
    site = make_site("--pace=1.0")
    site.prepare_mailing(200)
    site.script(
        "from newsletter.lib.queue import wake\nfor n in range(5000): wake('delivery.send', n)"
    )
    site.sink.start_and_wait()
    site.start_worker()
    wait_until("the mailing", lambda: len(site.sink.accepted()) >= 4)
    site.script(
        "from newsletter.lib.queue import wake\n"
        "from newsletter.editorial.models import Newsletter\n"
        "from subscribers import intake\n"
        "from subscribers.addresses import normalise\n"
        "TaskRun.objects.all().delete()\n"
        "intake.receive_sign_up(normalise('r999@readers.example'), languages=('en',),\n"
        "    newsletter=Newsletter.objects.get(), page_language='en')\n"
        "wake('delivery.tick'); wake('delivery.drain')\n"
    )
    wait_until("the confirmation", lambda: 999 in site.sink.accepted(), 10)
    with sqlite3.connect(site.folder / "var" / "tydzen.sqlite3") as database:
        runs = database.execute("SELECT name FROM delivery_taskrun WHERE finished_at NOT NULL")
        assert ("tick",) in runs.fetchall()
    assert state(site) == "sending"


def test_a_restore_onto_an_empty_machine_in_mid_send_emails_nobody_twice(
    make_site: MakeSite,
) -> None:
    """E10: the backup of a running mailing, restored after all its readers got it."""
    site = make_site("--pace=0.2")
    site.prepare_mailing(200)
    site.sink.start_and_wait()
    worker = site.start_worker()
    wait_until("20 messages", lambda: len(site.sink.accepted()) >= 20)
    execute(site, "UPDATE delivery_continuity SET count = 1000")  # as after some hours
    backup = site.folder / "backup.sqlite3"
    with (
        sqlite3.connect(site.folder / "var" / "tydzen.sqlite3") as database,
        sqlite3.connect(backup) as copy,
    ):
        database.backup(copy)
    assert state(site) == "sending"
    wait_until("the end of the mailing", lambda: state(site) == "finished", 60)
    worker.stop()
    site.broker.lose_everything()
    site.move_to_an_empty_machine(backup)
    # Backups are older than a minute; this one is made older instead of waiting.
    execute(site, "UPDATE delivery_workerrecord SET alive_at = datetime('now', '-2 minutes')")
    site.start_worker()
    wait_until("the pause", lambda: state(site) == "paused", 20)
    time.sleep(12)
    assert sorted(site.sink.accepted()) == list(range(200))
    assert state(site) == "paused"
