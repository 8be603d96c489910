"""The emergency brake: `freeze` stops everything that leaves the house, `thaw` needs the keys.

While the site is frozen: no permission to send is given, for issues and letters alike; nothing is
exported; nobody is signed in to the desk, and nobody can sign in. Readers are not kept waiting:
pages are shown, unsubscribing works, and who signs up is sealed into the inbox. Sign-ups are not
drained: a frozen site makes no new reader, and nothing that arrives is lost.
"""

from __future__ import annotations

import logging

from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models.functions import Now

from newsletter.delivery.models import KillSwitch, Mailing
from subscribers.crypto import key_check
from subscribers.crypto.sealing import worker_keys

log = logging.getLogger(__name__)


class CannotReleaseError(Exception):
    """The site stays frozen; the text says why."""


class KillSwitchEngagedError(Exception):
    """Refused, because the site is frozen."""


def is_engaged() -> bool:
    return KillSwitch.objects.filter(engaged=True).exists()


def require_released() -> None:
    """Raise Frozen where the site is."""
    if is_engaged():
        raise KillSwitchEngagedError("The site is frozen: manage.py thaw ends that.")


@transaction.atomic
def engage() -> bool:
    """Stop. Once this has committed, no further permission to send is given, and every session has
    ended. False: it was frozen already; sessions end all the same."""
    KillSwitch.objects.get_or_create(singleton=True)
    changed = KillSwitch.objects.filter(engaged=False).update(engaged=True, engaged_at=Now())
    sessions, _ = Session.objects.all().delete()
    log.warning("freeze-site", extra={"changed": changed, "sessions": sessions})
    return changed == 1


@transaction.atomic
def release() -> int:
    """Go on; returns how many send-outs were under way. They are paused, and what was still being
    prepared is held: after an emergency, a person says for each whether it goes on.

    Raises NotThawed where this process lacks the worker's keys or has others than this database's:
    whoever took over the web host alone cannot end it.
    """
    worker_keys()
    if faults := key_check.check():
        raise CannotReleaseError(f"The keys do not fit the database. {faults[0]}.")
    running = Mailing.objects.filter(state=Mailing.State.SENDING)
    paused = running.update(state=Mailing.State.PAUSED)
    paused += Mailing.objects.filter(state=Mailing.State.PREPARING).update(
        state=Mailing.State.HELD, hold=Mailing.Hold.FROZEN
    )
    KillSwitch.objects.filter(engaged=True).update(engaged=False, engaged_at=None)
    log.warning("thaw-site", extra={"paused": paused})
    return paused
