"""Operators and readers act in the middle of a mailing, with real workers and a slow relay."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.chaos.servers import CONNECTIONS, Worker, wait_until
from tests.chaos.site import STEP, Site

pytestmark = [pytest.mark.server, pytest.mark.chaos]
PERMITTED = 2 * (2 * STEP + CONNECTIONS)
"""How many more messages a worker's two children may send once permissions are refused: for each, a
STEP under way, another one ahead, and one per connection."""
MakeSite = Callable[..., Site]


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[MakeSite]:
    sites: list[Site] = []

    def make(*relay: str) -> Site:
        sites.append(Site(tmp_path, *relay))
        sites[-1].set_up()
        return sites[-1]

    yield make
    for site in sites:
        site.stop()


def start_sending(site: Site, *, readers: int, accepted: int) -> Worker:
    """Start the relay and a worker, and wait until so many messages have been accepted."""
    site.prepare_mailing(readers)
    site.sink.start_and_wait()
    worker = site.start_worker()
    wait_until(f"{accepted} messages", lambda: len(site.sink.accepted()) >= accepted, 90)
    return worker


def only_the_parent(worker: Worker) -> list[int]:
    return [worker.pid]


@pytest.mark.parametrize(
    ("processes", "relay"),
    [
        (only_the_parent, ["--delay=4.5"]),
        (Worker.tree, ["--delay=4.5"]),
        (Worker.tree, ["--delay=4.5", "--chunking"]),
        (Worker.tree, ["--pace=4.0"]),
    ],
    ids=["parent", "all", "all, with BDAT", "all, with a late last reply"],
)
def test_sigterm_leaves_nobody_unknown(
    make_site: MakeSite, processes: Callable[[Worker], list[int]], relay: list[str]
) -> None:
    """E7: the worker stops within 10 s.

    The relay takes up to 4.5 s for each reply, or 4 s for the reply to the final dot.
    """
    site = make_site(*relay)
    worker = start_sending(site, readers=200, accepted=2)
    time.sleep(1)
    signalled = time.monotonic()
    for pid in processes(worker):
        os.kill(pid, signal.SIGTERM)
    assert worker.process is not None
    worker.process.wait(15)
    assert time.monotonic() - signalled < 10
    report = site.report()
    assert report["unknown"] == report["claimed"] == 0
    assert report["sent"] == len(site.sink.accepted())
    assert report["sent"] + report["waiting"] == 200


def test_nobody_gets_it_twice_after_pause_new_settings_restart_and_resume(
    make_site: MakeSite,
) -> None:
    """Not even if the new relay is another one. E5: the pause takes effect within one STEP."""
    site = make_site("--pace=0.2")
    start_sending(site, readers=300, accepted=20)
    paused, at_pause = site.run_control("control.pause(mailing)")
    assert paused == ["True"]
    site.wait_until(lambda: site.report()["claimed"] == 0)
    assert len(site.sink.accepted()) - at_pause <= PERMITTED
    for worker in site.workers:
        worker.stop()
    site.broker.lose_everything()
    site.sink.stop()
    before = site.sink.accepted()
    new_relay = site.switch_relay("--chunking")
    site.environment.update(SEND_STEP="7", SEND_BATCH_SIZE="30", SEND_LEASE_SECONDS="20")
    site.start_worker()
    site.script("from newsletter.delivery.oversight import control; control.resume(mailing)")
    site.wait_until(lambda: site.report()["state"] == "finished")
    assert 20 <= len(before) < 200
    assert sorted([*before, *new_relay.accepted()]) == list(range(300))


def test_cancelling_takes_effect_within_one_step(make_site: MakeSite) -> None:
    """E5. Readers not reached are skipped, and nobody is in doubt."""
    site = make_site("--pace=0.2")
    start_sending(site, readers=300, accepted=20)
    results, at_cancel = site.run_control("control.cancel(mailing), control.cancel(mailing)")
    assert results == ["True", "False"]
    site.wait_until(lambda: site.report()["claimed"] == 0)
    report = site.report()
    assert report["state"] == "cancelled"
    assert report["sent"] == len(site.sink.accepted()) <= at_cancel + PERMITTED
    assert report["skipped"] == 300 - report["sent"] > 100


def test_while_the_relay_is_down_a_mailing_is_not_finished(make_site: MakeSite) -> None:
    site = make_site("--pace=0.0")
    site.prepare_mailing(40)
    site.start_worker()
    began = time.monotonic()
    site.wait_until(lambda: time.monotonic() - began > 15)
    report = site.report()
    assert (report["state"], report["waiting"]) == ("sending", 40)
    site.sink.start_and_wait()
    site.wait_until(lambda: site.report()["state"] == "finished")
    assert sorted(site.sink.accepted()) == list(range(40))


UNSUBSCRIBE_ALL = """
from newsletter.delivery.sending.batches import unpack
from subscribers import lifecycle
from subscribers.models import Subscription
rows = list(Subscription.objects.order_by("subscriber_id").values_list("pk", "subscriber_id"))
for pk, reader in reversed(rows):
    lifecycle.unsubscribe(pk)
    permitted = [unpack(b.reader_ids)[:b.intent] for b in Batch.objects.filter(mailing=mailing)]
    if not any(reader in ids for ids in permitted):
        print("must-skip", reader - rows[0][1])
"""
"""Unsubscribe everyone, the last reader first.

If a reader isn't permitted yet once they are unsubscribed, their second read must come later. So
they must be skipped: print their number.
"""


def test_a_reader_who_unsubscribes_before_the_second_read_gets_nothing(make_site: MakeSite) -> None:
    """A15, with a relay that takes a second per message."""
    site = make_site("--pace=1.0")
    start_sending(site, readers=200, accepted=4)
    lines = site.script(UNSUBSCRIBE_ALL).splitlines()
    must_skip = {int(line.split()[1]) for line in lines if line.startswith("must-skip")}
    assert 100 <= len(must_skip) < 200
    site.wait_until(lambda: site.report()["state"] == "finished")
    report = site.report()
    assert not must_skip & set(site.sink.accepted())
    assert report["sent"] == len(site.sink.accepted()) <= 200 - len(must_skip)
    assert report["sent"] + report["skipped"] == 200
