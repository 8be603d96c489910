"""Webhooks arrive while web, worker and broker are killed: none that was answered is lost, and the
end state is the same whatever the order (D2, D10)."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import pytest
import redis

from tests.delivery.feedback.payloads import body
from tests.delivery.feedback.payloads.who import Who
from tests.e2e import feedback
from tests.e2e.conftest import RelayedSite
from tests.e2e.content import article, document
from tests.e2e.site import Site, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.server]
DOMAIN = "reported.example"
READERS = 60
KINDS = ("hard", "soft", "delivered")
KILLED = ("gunicorn", "manage.py worker")
"""What the commands of the site's processes contain."""
PATIENCE = 60.0


def posts_about(relayed: RelayedSite) -> list[bytes]:
    """Return a POST about each reader's email, a third of each kind, and some of them again."""
    posts = []
    for number, address in enumerate(sorted(relayed.relay.recipients(DOMAIN))):
        (raw,) = relayed.relay.messages(address)
        who = Who(address, feedback.delivery_id(raw), f"message-{number}", f"event-{number}")
        posts.append(body(feedback.PROVIDER, KINDS[number % len(KINDS)], who))
    posts += random.sample(posts, READERS // 3)
    random.shuffle(posts)
    return posts


def post_until_taken(site: Site, content: bytes) -> int:
    """Post as a provider does: again, until it is answered with 200. Return how often."""
    until = time.monotonic() + PATIENCE
    for tries in range(1, 10_000):
        if feedback.post(site, content) == 200:
            return tries
        assert time.monotonic() < until, "the site doesn't take a webhook"
        time.sleep(0.1)
    raise AssertionError


def kill(site: Site, kind: str) -> None:
    """End the processes of a kind as `kill -9` does."""
    found = [pid for pid, command in site.processes().items() if kind in command]
    assert found, kind
    for pid in found:
        os.kill(pid, signal.SIGKILL)


def lose_broker(site: Site) -> None:
    """Kill the embedded broker, which starts again empty, or empty the server's database."""
    if url := site.environment.get("BROKER_URL"):
        with redis.Redis.from_url(url) as client:
            client.flushdb()
        return
    # It writes its title over its environment, so `Site.processes` doesn't find it.
    supervisors = [pid for pid, command in site.processes().items() if "manage.py up" in command]
    children = [Path(f"/proc/{pid}/task/{pid}/children").read_text().split() for pid in supervisors]
    [broker] = [
        int(pid)
        for pid in chain.from_iterable(children)
        if "valkey" in Path(f"/proc/{pid}/comm").read_text()
    ]
    os.kill(broker, signal.SIGKILL)


def recorded(site: Site) -> dict[str, int]:
    """Return the mailing's events by kind, its suppressed readers, and what isn't read yet."""
    output = site.shell(
        "import json\n"
        "from collections import Counter\n"
        "from newsletter.delivery.models import Event, Mailing\n"
        "from subscribers.models import Intake, Subscriber, Suppression\n"
        "mailing = Mailing.objects.get(release__newsletter__slug='reported')\n"
        "readers = Subscriber.objects.filter(subscriptions__newsletter__slug='reported')\n"
        "hashes = readers.values('address_hash')\n"
        "kinds = Event.objects.filter(mailing_id=mailing.pk).values_list('kind', flat=True)\n"
        "suppressed = Suppression.objects.filter(address_hash__in=hashes).count()\n"
        "print(json.dumps({**Counter(kinds), 'suppressed': suppressed,"
        " 'waiting': Intake.objects.filter(attempts=0).count()}))"
    )
    found: dict[str, int] = json.loads(output)
    return found


def test_d10_no_webhook_is_lost_when_processes_are_killed(relayed: RelayedSite) -> None:
    site = relayed.site
    site.import_document(document("reported", {"2021-03-01": [article(en="Coming back")]}))
    site.add_readers("reported", f"reader{{0}}@{DOMAIN}", READERS)
    site.run("send_issue", "reported", "2021-03-01")
    eventually(
        lambda: len(relayed.relay.recipients(DOMAIN)) == READERS, seconds=60, what="all are sent"
    )
    posts = posts_about(relayed)
    with ThreadPoolExecutor(4) as pool:
        tries = [pool.submit(post_until_taken, site, post) for post in posts]
        for kind in KILLED:
            time.sleep(0.3)
            kill(site, kind)
        lose_broker(site)
        assert sum(each.result() for each in tries) >= len(posts)
    third = READERS // len(KINDS)
    expected = {
        "bounced": third,
        "deferred": third,
        "delivered": third,
        "suppressed": third,
        "waiting": 0,
    }
    eventually(lambda: recorded(site) == expected, seconds=60, what=str(expected), every=1)
