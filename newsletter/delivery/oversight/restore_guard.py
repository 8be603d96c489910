"""Detect that an older backup of the database was restored.

A backup doesn't record what was sent after it was made, so those emails would be sent twice. Each
tick therefore increments a number in the database and writes it to a file on this machine. If the
number in the database is lower than the one in the file, every open mailing is paused until an
operator decides.
"""

from __future__ import annotations

import logging
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import F

from newsletter.delivery.models import KillSwitch, Mailing

log = logging.getLogger(__name__)


def watch() -> int:
    """Count one tick; return how many mailings were stopped because a backup was restored."""
    try:
        # The file is read before counting. Its number was committed to the database before it was
        # written, so the new count is higher, however ticks overlap and however long one of them
        # sleeps in between, unless the database went back in time.
        last_seen = _last_seen()
        ticks = _count()
        stopped = 0 if ticks > last_seen else stop_open_mailings()
        _write(ticks)
    except OSError as error:
        # Sending continues: this guards against a mistake and isn't part of the protocol.
        log.error("cannot-watch-for-restored-backups", extra={"error": error})
        return 0
    return stopped


def _count() -> int:
    with transaction.atomic():
        KillSwitch.objects.get_or_create(singleton=True)
        KillSwitch.objects.update(ticks=F("ticks") + 1)
        return KillSwitch.objects.values_list("ticks", flat=True).get()


def stop_open_mailings() -> int:
    """Pause or hold all open mailings as restored from a backup; return how many."""
    paused = Mailing.objects.filter(state=Mailing.State.SENDING).update(
        state=Mailing.State.PAUSED, hold=Mailing.Hold.RESTORED
    )
    held = Mailing.objects.filter(state=Mailing.State.PREPARING).update(
        state=Mailing.State.HELD, hold=Mailing.Hold.RESTORED
    )
    if paused or held:
        log.error("restored", extra={"paused": paused, "held": held})
    return paused + held


def _path() -> Path:
    return Path(settings.VAR_DIR) / "run" / "ticks"


def _last_seen() -> int:
    try:
        return int(_path().read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return 0


def _write(ticks: int) -> None:
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    temporary.write_text(str(ticks), encoding="ascii")
    temporary.replace(path)
