"""The kill switch: stop everything that leaves the site in an emergency.

While it is on, no permission to send is given, for issues or for transactional email; nothing is
exported; every session at the desk has ended, and nobody can sign in. The public site stays up:
pages are shown, readers can unsubscribe, and sign-ups are sealed into the intake, which isn't
drained until the kill switch is off. Turning it off needs the worker's keys.
"""

from __future__ import annotations

import logging
from datetime import datetime

from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models.functions import Now

from newsletter.delivery.models import KillSwitch, Mailing
from subscribers.crypto import key_check
from subscribers.crypto.sealing import worker_keys

log = logging.getLogger(__name__)


class CannotReleaseError(Exception):
    """The kill switch stays on; the text says why."""


def is_engaged() -> bool:
    return KillSwitch.objects.filter(engaged=True).exists()


def engaged_since() -> datetime | None:
    """Return when the kill switch was turned on; None while it is off."""
    return KillSwitch.objects.filter(engaged=True).values_list("engaged_at", flat=True).first()


@transaction.atomic
def engage() -> bool:
    """Turn the kill switch on and end every session; return False if it was on already.

    Once this has committed, no further permission to send is given.
    """
    KillSwitch.objects.get_or_create(singleton=True)
    changed = KillSwitch.objects.filter(engaged=False).update(engaged=True, engaged_at=Now())
    sessions, _ = Session.objects.all().delete()
    log.warning("kill-switch-on", extra={"changed": changed, "sessions": sessions})
    return changed == 1


@transaction.atomic
def release() -> int:
    """Turn the kill switch off; return how many mailings it interrupted.

    Mailings that were being sent are paused, and those that were being prepared are held: after an
    emergency, a person decides about each of them.

    Raises SealedError if this process doesn't have the worker's keys, and CannotReleaseError if
    its keys aren't those of the database: an attacker on the web host can't turn it off.
    """
    worker_keys()
    if faults := key_check.check():
        raise CannotReleaseError(f"the keys don't fit the database. {faults[0]}")
    sending = Mailing.objects.filter(state=Mailing.State.SENDING)
    preparing = Mailing.objects.filter(state=Mailing.State.PREPARING)
    interrupted = sending.update(state=Mailing.State.PAUSED)
    interrupted += preparing.update(state=Mailing.State.HELD, hold=Mailing.Hold.KILL_SWITCH)
    KillSwitch.objects.filter(engaged=True).update(engaged=False, engaged_at=None)
    log.warning("kill-switch-off", extra={"interrupted": interrupted})
    return interrupted
