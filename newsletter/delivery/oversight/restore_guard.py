"""Detect that a backup of the database was restored, and pause all open mailings (E10).

A backup doesn't know what was sent after it was made, so those emails would be sent twice. The
database has a random ID and a number that grows each time a worker looks at it: when a worker
starts, in every tick, and every ten seconds (newsletter.delivery.worker.recovery). The worker keeps
both in a file on its machine. If the database's number is not above the one in the file, the
database went back in time.

A machine whose file is missing or far behind can't tell, so it relies on others: if a worker gave a
sign of life within the last minute, that one would have noticed. If none did, the mailings are
paused too. Only a database that workers have just begun to look at is trusted without proof.

Mailings that are open are paused or held, and requests for the latest issue are dropped. A
schedule's mailing that was due before that, and that the database doesn't have, is held
(newsletter.delivery.planning.dispatch): it may have been sent after the backup was made.
"""

from __future__ import annotations

import json
import logging
import os
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from newsletter.delivery.models import Continuity, Mailing, WorkerRecord
from subscribers.models import TransactionalEmail

log = logging.getLogger(__name__)
EmailState = TransactionalEmail.State
SIGN_OF_LIFE_SECONDS = 60
"""A worker that gave a sign of life within this time vouches for the database."""
SLACK = 10
"""How far the file may be behind: other processes count too, and one that is killed may have
counted without writing its file."""


@dataclass(frozen=True)
class Sighting:
    """What was seen of the database: its ID and its number."""

    database: str
    count: int


_last_sighting: Sighting | None = None
"""This process's latest, for a machine whose file can't be written."""


def watch() -> int:
    """Look at the database; return how many mailings were stopped because a backup was restored."""
    global _last_sighting
    # The file is read before counting. Its number was committed to the database before it was
    # written, so the new number is higher, however processes overlap and however long one of them
    # sleeps in between, unless the database went back in time.
    seen = _read() or _last_sighting
    with transaction.atomic():
        now = _count()
        restored = is_restored(seen, now, others_alive=_is_any_worker_alive())
        stopped = stop_open_mailings() if restored else 0
        if restored:
            now = _start_new_history()
    _last_sighting = now
    try:
        _write(now)
    except OSError as error:
        # Sending continues: this guards against a mistake and isn't part of the protocol.
        log.error("cannot-watch-for-restored-backups", extra={"error": error})
    return stopped


def is_restored(seen: Sighting | None, now: Sighting, *, others_alive: bool) -> bool:
    """Return whether the database has to be taken for a restored backup.

    `seen` is what this machine saw last, and `now` what it sees, with a number that has just grown.
    """
    known = seen.count if seen is not None and seen.database == now.database else 0
    if now.count <= known:
        return True
    # A new database is known to nobody, and its first workers may start at the same time.
    return now.count > known + SLACK and not others_alive


def may_have_been_sent(due_at: datetime) -> bool:
    """Return whether a mailing that was due then, and that the database doesn't have, may have been
    sent before a backup was restored."""
    return Continuity.objects.filter(restored_at__gte=due_at).exists()


def _count() -> Sighting:
    Continuity.objects.get_or_create(singleton=True)
    Continuity.objects.update(count=F("count") + 1)
    return Sighting(*Continuity.objects.values_list("database_id", "count").get())


def _start_new_history() -> Sighting:
    """Give the database another ID, so that each machine that knew the old one notices once."""
    Continuity.objects.update(database_id=Continuity().database_id, restored_at=Now())
    return Sighting(*Continuity.objects.values_list("database_id", "count").get())


def _is_any_worker_alive() -> bool:
    since = Now() - timedelta(seconds=SIGN_OF_LIFE_SECONDS)
    # A sign of life in the future is older than the clock, which was set back.
    return WorkerRecord.objects.filter(alive_at__gt=since, alive_at__lte=Now()).exists()


def stop_open_mailings() -> int:
    """Pause or hold all open mailings as restored from a backup; return how many."""
    paused = Mailing.objects.filter(state=Mailing.State.SENDING).update(
        state=Mailing.State.PAUSED, hold=Mailing.Hold.RESTORED
    )
    held = Mailing.objects.filter(state=Mailing.State.PREPARING).update(
        state=Mailing.State.HELD, hold=Mailing.Hold.RESTORED
    )
    # Each would become a batch of one. Other single emails don't matter if they come twice.
    dropped = TransactionalEmail.objects.filter(
        kind=TransactionalEmail.Kind.ISSUE, state__in=[EmailState.QUEUED, EmailState.CLAIMED]
    ).update(state=EmailState.DROPPED, lease_until=None)
    log.error("restored", extra={"paused": paused, "held": held, "dropped": dropped})
    return paused + held


def _path() -> Path:
    return Path(settings.VAR_DIR) / "run" / "database-seen.json"


def _read() -> Sighting | None:
    try:
        return Sighting(**json.loads(_path().read_text(encoding="ascii")))
    except (OSError, ValueError, TypeError):
        return None


def _write(seen: Sighting) -> None:
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}")
    temporary.write_text(json.dumps(asdict(seen)), encoding="ascii")
    temporary.replace(path)
