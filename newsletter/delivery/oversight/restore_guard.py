"""Notices that the database went back in time: a backup was restored.

What was sent after the backup is not in it, and would be sent again. So each tick counts up a
number in the database and writes it to a file of this machine; where the database's number is
lower than the file's, every open mailing is paused, for an operator to decide.
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
    """Count one tick; returns how many mailings were paused because of a restored backup."""
    try:
        # Read before counting: what the file holds was committed to the database before it was
        # written, so however ticks overlap, and however long one sleeps in between, the number
        # that is counted then is higher, unless the database went back.
        seen = _seen()
        ticks = _count()
        paused = 0 if ticks > seen else pause_open()
        _write(ticks)
    except OSError as error:
        # Sending goes on: this is a guard against a mistake, not a part of the protocol.
        log.error("cannot-watch-for-restored-backups", extra={"error": error})
        return 0
    return paused


def _count() -> int:
    with transaction.atomic():
        KillSwitch.objects.get_or_create(singleton=True)
        KillSwitch.objects.update(ticks=F("ticks") + 1)
        return KillSwitch.objects.values_list("ticks", flat=True).get()


def pause_open() -> int:
    """Pause all open mailings as restored from a backup; returns how many."""
    open_ones = Mailing.objects.filter(state__in=[Mailing.State.SENDING, Mailing.State.PREPARING])
    frozen = open_ones.filter(state=Mailing.State.SENDING).update(
        state=Mailing.State.PAUSED, hold=Mailing.Hold.RESTORED
    )
    waiting = open_ones.filter(state=Mailing.State.PREPARING).update(
        state=Mailing.State.HELD, hold=Mailing.Hold.RESTORED
    )
    if frozen or waiting:
        log.error("restored", extra={"paused": frozen, "held": waiting})
    return frozen + waiting


def _path() -> Path:
    return Path(settings.VAR_DIR) / "run" / "ticks"


def _seen() -> int:
    try:
        return int(_path().read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return 0


def _write(ticks: int) -> None:
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(str(ticks), encoding="ascii")
    new.replace(path)
