"""What operators and readers do in mid-send, to real workers with a relay that takes its time."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.chaos.servers import until
from tests.chaos.site import STEP, Site

pytestmark = [pytest.mark.server, pytest.mark.chaos]
MakeSite = Callable[..., Site]


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[MakeSite]:
    sites: list[Site] = []

    def make(*relay: str) -> Site:
        sites.append(Site(tmp_path, *relay))
        sites[-1].prepare()
        return sites[-1]

    yield make
    for site in sites:
        site.end()


@pytest.mark.parametrize("relay", ["--pace=4.0", "--delay=4.5"])
@pytest.mark.parametrize("tell", [os.kill, os.killpg], ids=["worker", "group"])
def test_sigterm_leaves_nobody_unknown(
    make_site: MakeSite, tell: Callable[[int, int], None], relay: str
) -> None:
    """E7: within 10 s, with a relay that answers the final dot after 4, and with one that answers
    each command after some time up to 4.5 s."""
    site = make_site(relay)
    site.freeze(200)
    site.sink.begin()
    worker = site.work()
    until("two mails taken", lambda: len(site.sink.taken()) >= 2, 90)
    time.sleep(1)
    asked = time.monotonic()
    tell(worker.pid, signal.SIGTERM)
    assert worker.process is not None
    worker.process.wait(15)
    assert time.monotonic() - asked < 10
    account = site.account()
    assert account["unknown"] == account["claimed"] == 0
    assert account["sent"] == len(site.sink.taken())
    assert account["sent"] + account["waiting"] == 200


def test_pause_new_settings_restart_resume(make_site: MakeSite) -> None:
    """Nobody twice; E5: the pause takes effect within one STEP."""
    site = make_site("--pace=0.1")
    site.freeze(300)
    site.sink.begin()
    site.work()
    until("some mails taken", lambda: len(site.sink.taken()) >= 20, 90)
    site.script("from newsletter.delivery import control; control.pause(mailing)")
    at_pause = len(site.sink.taken())
    site.wait(lambda: site.account()["claimed"] == 0)
    # Two children; each may have a STEP permitted, and one in flight.
    assert len(site.sink.taken()) - at_pause <= 2 * 2 * STEP
    for worker in site.workers:
        worker.end()
    site.broker.lose_everything()
    site.environment.update(SEND_STEP="7", SEND_BATCH_SIZE="30", SEND_LEASE_SECONDS="20")
    site.work()
    site.script("from newsletter.delivery import control; control.resume(mailing)")
    site.wait(lambda: site.account()["state"] == "finished")
    assert sorted(site.sink.taken()) == list(range(300))


def test_with_the_relay_down_a_mailing_is_never_finished(make_site: MakeSite) -> None:
    site = make_site("--pace=0.0")
    site.freeze(40)
    site.work()
    began = time.monotonic()
    site.wait(lambda: time.monotonic() - began > 15)
    account = site.account()
    assert (account["state"], account["waiting"]) == ("sending", 40)
    site.sink.begin()
    site.wait(lambda: site.account()["state"] == "finished")
    assert sorted(site.sink.taken()) == list(range(40))


def test_who_leaves_is_mailed_only_past_the_second_read(make_site: MakeSite) -> None:
    site = make_site("--pace=1.0")
    site.freeze(200)
    site.sink.begin()
    site.work()
    until("some mails taken", lambda: len(site.sink.taken()) >= 4, 90)
    past = site.script(
        "from subscribers import lifecycle; from subscribers.models import Subscription\n"
        "for pk in Subscription.objects.values_list('pk', flat=True): lifecycle.unsubscribe(pk)\n"
        "print(sum(Batch.objects.values_list('intent', flat=True)))"
    )
    site.wait(lambda: site.account()["state"] == "finished")
    account = site.account()
    assert account["sent"] == len(site.sink.taken()) <= int(past.split()[-1])
    assert account["sent"] + account["skipped"] == 200
