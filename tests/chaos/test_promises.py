"""What operators and readers do in mid-send, to real workers with a relay that takes its time."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.chaos.servers import CONNECTIONS, wait_until
from tests.chaos.site import STEP, Site

pytestmark = [pytest.mark.server, pytest.mark.chaos]
PERMITTED = 2 * (2 * STEP + CONNECTIONS)
"""What the two children of a worker may have in hand when no further permission is given: a STEP
that is under way, one ahead, and what their lines are busy with."""
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


@pytest.mark.parametrize(
    ("tell", "relay"),
    [
        (os.kill, ["--delay=4.5"]),
        (os.killpg, ["--delay=4.5"]),
        (os.killpg, ["--delay=4.5", "--chunking"]),
        (os.killpg, ["--pace=4.0"]),
    ],
    ids=["worker", "group", "group, a relay that offers BDAT", "group, the last reply late"],
)
def test_sigterm_leaves_nobody_unknown(
    make_site: MakeSite, tell: Callable[[int, int], None], relay: list[str]
) -> None:
    """E7: within 10 s, with a relay that answers the final dot after 4, and with one that answers
    each command after some time up to 4.5 s."""
    site = make_site(*relay)
    site.prepare_mailing(200)
    site.sink.start_and_wait()
    worker = site.start_worker()
    wait_until("two mails taken", lambda: len(site.sink.accepted()) >= 2, 90)
    time.sleep(1)
    asked = time.monotonic()
    tell(worker.pid, signal.SIGTERM)
    assert worker.process is not None
    worker.process.wait(15)
    assert time.monotonic() - asked < 10
    report = site.report()
    assert report["unknown"] == report["claimed"] == 0
    assert report["sent"] == len(site.sink.accepted())
    assert report["sent"] + report["waiting"] == 200


def test_pause_new_settings_restart_resume(make_site: MakeSite) -> None:
    """Nobody twice, also by another relay; E5: the pause takes effect within one STEP."""
    site = make_site("--pace=0.2")
    site.prepare_mailing(300)
    site.sink.start_and_wait()
    site.start_worker()
    wait_until("some mails taken", lambda: len(site.sink.accepted()) >= 20, 90)
    paused, at_pause = site.run_control("control.pause(mailing)")
    assert paused == ["True"]
    site.wait(lambda: site.report()["claimed"] == 0)
    assert len(site.sink.accepted()) - at_pause <= PERMITTED
    for worker in site.workers:
        worker.stop()
    site.broker.lose_everything()
    site.sink.stop()
    before = site.sink.accepted()
    other = site.switch_relay("--chunking")
    site.environment.update(SEND_STEP="7", SEND_BATCH_SIZE="30", SEND_LEASE_SECONDS="20")
    site.start_worker()
    site.script("from newsletter.delivery import control; control.resume(mailing)")
    site.wait(lambda: site.report()["state"] == "finished")
    assert 20 <= len(before) < 200
    assert sorted([*before, *other.accepted()]) == list(range(300))


def test_cancelled_in_mid_send(make_site: MakeSite) -> None:
    """E5: within one STEP; who was not reached is skipped, nobody is in doubt."""
    site = make_site("--pace=0.2")
    site.prepare_mailing(300)
    site.sink.start_and_wait()
    site.start_worker()
    wait_until("some mails taken", lambda: len(site.sink.accepted()) >= 20, 90)
    answers, at_cancel = site.run_control("control.cancel(mailing), control.cancel(mailing)")
    assert answers == ["True", "False"]
    site.wait(lambda: site.report()["claimed"] == 0)
    report = site.report()
    assert report["state"] == "cancelled"
    assert report["sent"] == len(site.sink.accepted()) <= at_cancel + PERMITTED
    assert report["skipped"] == 300 - report["sent"] > 100


def test_with_the_relay_down_a_mailing_is_never_finished(make_site: MakeSite) -> None:
    site = make_site("--pace=0.0")
    site.prepare_mailing(40)
    site.start_worker()
    began = time.monotonic()
    site.wait(lambda: time.monotonic() - began > 15)
    report = site.report()
    assert (report["state"], report["waiting"]) == ("sending", 40)
    site.sink.start_and_wait()
    site.wait(lambda: site.report()["state"] == "finished")
    assert sorted(site.sink.accepted()) == list(range(40))


LEAVE = """
from newsletter.delivery.sending.packing import unpack
from subscribers import lifecycle
from subscribers.models import Subscription
rows = list(Subscription.objects.order_by("subscriber_id").values_list("pk", "subscriber_id"))
for pk, reader in reversed(rows):
    lifecycle.unsubscribe(pk)
    permitted = [unpack(b.reader_ids)[:b.intent] for b in Batch.objects.filter(mailing=mailing)]
    if not any(reader in ids for ids in permitted):
        print("obey", reader - rows[0][1])
"""
"""All leave, the last first. Whoever is not below an intent once that is answered is named: no
second read of them can have been before."""


def test_who_leaves_is_mailed_only_past_the_second_read(make_site: MakeSite) -> None:
    """A15, with a relay that waits a second with each answer."""
    site = make_site("--pace=1.0")
    site.prepare_mailing(200)
    site.sink.start_and_wait()
    site.start_worker()
    wait_until("some mails taken", lambda: len(site.sink.accepted()) >= 4, 90)
    lines = site.script(LEAVE).splitlines()
    obeyed = {int(line.split()[1]) for line in lines if line.startswith("obey")}
    assert 100 <= len(obeyed) < 200
    site.wait(lambda: site.report()["state"] == "finished")
    report = site.report()
    assert not obeyed & set(site.sink.accepted())
    assert report["sent"] == len(site.sink.accepted()) <= 200 - len(obeyed)
    assert report["sent"] + report["skipped"] == 200
