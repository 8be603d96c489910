"""Ping HEARTBEAT_URL after each tick, so that an outside monitor notices when ticks stop (E9).

The protocol is that of healthchecks.io: URL means success, URL/fail that a step failed. The URL is
a secret, and is never logged.
"""

from __future__ import annotations

import logging
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db.models.functions import Now

from newsletter.delivery.models import TaskRun

log = logging.getLogger(__name__)
TIMEOUT = 5.0
PING = "ping"
"""The name of its TaskRun, which says whether the last ping failed."""


@contextmanager
def pinged() -> Iterator[None]:
    """Ping when the block has ended: success, or failure if it raised an exception."""
    try:
        yield
    except Exception:
        ping(failed=True)
        raise
    ping(failed=False)


def ping(*, failed: bool) -> None:
    """Ping, if there is a URL. A monitor that can't be reached is logged once per outage."""
    if not settings.HEARTBEAT_URL:
        return
    url = settings.HEARTBEAT_URL.rstrip("/")
    error = _request(f"{url}/fail" if failed else url)
    TaskRun.objects.get_or_create(pk=PING, defaults={"started_at": Now()})
    # Each tick may run in another process, so the database remembers. Only a change is logged.
    changed = TaskRun.objects.filter(pk=PING, failing=not error).update(failing=bool(error))
    if changed and error:
        log.error("heartbeat-failed", extra={"error": error})
    elif changed:
        log.warning("heartbeat-works-again")


def _request(url: str) -> str:
    """Request the URL; return the kind of failure, or ""."""
    failures = ["TimeoutError"]

    def request() -> None:
        try:
            # settings.py admits only http and https.
            with urllib.request.urlopen(url, timeout=TIMEOUT) as response:  # noqa: S310
                response.read(1)
            failures[0] = ""
        except Exception as error:  # noqa: BLE001 - any failure is reported, and must not stop a tick
            failures[0] = f"{type(error).__name__} {getattr(error, 'code', '')}".strip()

    # The timeout of a socket doesn't cover the look-up of the host's name.
    thread = threading.Thread(target=request, name="heartbeat", daemon=True)
    thread.start()
    thread.join(TIMEOUT)
    return failures[0]
