"""kill -9 of the sending processes: nobody is left out or gets an email twice (P1)."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from tests.e2e.conftest import RelayedSite
from tests.e2e.content import article, document
from tests.e2e.site import Site, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.server]
DOMAIN = "killed.example"
READERS = 120
SENT_BEFORE = 25
STEP, CONNECTIONS, CONCURRENCY = 5, 2, 2
MOST_UNKNOWN = (2 * STEP + CONNECTIONS) * CONCURRENCY
"""The most unknown outcomes: for each open batch, two steps and what was in flight."""


CHILDREN = CONCURRENCY + 2
"""Two more process everything that isn't a mailing."""


def senders(site: Site) -> list[int]:
    """Return the IDs of the processes of the worker's two pools."""
    workers = {pid for pid, command in site.processes().items() if "manage.py worker" in command}
    parts = {pid for pid in workers if parent_of(pid) in workers}
    return [pid for pid in parts if parent_of(pid) in parts]


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def outcomes(site: Site, mailing: object) -> dict[str, str]:
    """Return the recorded result of each address's email."""
    output = site.shell(
        "import json\n"
        "from newsletter.delivery.models import Outcome\n"
        "from newsletter.transport.outcomes import Result\n"
        "from subscribers.audience import address_of\n"
        "from subscribers.models import Subscriber\n"
        f"rows = Outcome.objects.filter(mailing_id={mailing})"
        ".values_list('subscriber_id', 'result')\n"
        "print(json.dumps([[address_of(Subscriber.objects.get(pk=reader)), Result(result).name]"
        " for reader, result in rows]))\n"
    )
    rows: list[list[str]] = json.loads(output)
    assert len({address for address, _ in rows}) == len(rows)
    return dict(rows)


def test_p1_kill_9_while_sending_loses_nobody(relayed: RelayedSite) -> None:
    site, relay = relayed.site, relayed.relay
    site.import_document(document("killed", {"2021-03-01": [article(en="Broken off")]}))
    site.add_readers("killed", f"reader{{0}}@{DOMAIN}", READERS)
    relay.hold_after = len(relay.accepted) + SENT_BEFORE
    site.run("send_issue", "killed", "2021-03-01")
    eventually(
        lambda: len(relay.recipients(DOMAIN)) >= SENT_BEFORE,
        seconds=30,
        what=f"{SENT_BEFORE} are sent",
    )
    killed = senders(site)
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    assert len(killed) == CHILDREN
    assert len(relay.recipients(DOMAIN)) < READERS
    relay.hold_after = None

    def finished() -> list[dict[str, object]]:
        site.shell("from newsletter.celery import app; app.send_task('delivery.tick')")
        return [finding for finding in site.audit("Killed") if finding["state"] == "finished"]

    (finding,) = eventually(finished, seconds=60, what="the mailing is finished", every=2)
    assert finding["faults"] == []
    assert (finding["readers"], finding["waiting"]) == (READERS, 0)
    accepted, account = relay.recipients(DOMAIN), outcomes(site, finding["mailing"])
    assert len(account) == READERS
    assert set(accepted.values()) == {1}, "somebody got it twice"
    assert set(account.values()) <= {"SENT", "UNKNOWN"}
    assert {to for to, result in account.items() if result == "SENT"} <= set(accepted)
    unknown = {to for to, result in account.items() if result == "UNKNOWN"}
    assert set(account) - set(accepted) <= unknown, "somebody was left out"
    assert 0 < len(unknown) <= MOST_UNKNOWN
