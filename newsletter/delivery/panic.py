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

from newsletter.delivery.models import Mailing, Site
from subscribers import canary
from subscribers.sealing import worker_keys

log = logging.getLogger(__name__)


class NotThawed(Exception):  # noqa: N818 - names the condition
    """The site stays frozen; the text says why."""


class Frozen(Exception):  # noqa: N818 - names the condition
    """Refused, because the site is frozen."""


def is_frozen() -> bool:
    return Site.objects.filter(frozen=True).exists()


def refuse_if_frozen() -> None:
    """Raise Frozen where the site is."""
    if is_frozen():
        raise Frozen("The site is frozen: manage.py thaw ends that.")


@transaction.atomic
def freeze() -> bool:
    """Stop. Once this has committed, no further permission to send is given, and every session has
    ended. False: it was frozen already; sessions end all the same."""
    Site.objects.get_or_create(singleton=True)
    changed = Site.objects.filter(frozen=False).update(frozen=True, frozen_at=Now())
    sessions, _ = Session.objects.all().delete()
    log.warning("freeze-site", extra={"changed": changed, "sessions": sessions})
    return changed == 1


@transaction.atomic
def thaw() -> int:
    """Go on; returns how many send-outs were under way. They are paused, and what was still being
    prepared is held: after an emergency, a person says for each whether it goes on.

    Raises NotThawed where this process lacks the worker's keys or has others than this database's:
    whoever took over the web host alone cannot end it.
    """
    worker_keys()
    if faults := canary.check():
        raise NotThawed(f"The keys do not fit the database. {faults[0]}.")
    running = Mailing.objects.filter(state=Mailing.State.SENDING)
    paused = running.update(state=Mailing.State.PAUSED)
    paused += Mailing.objects.filter(state=Mailing.State.PREPARING).update(
        state=Mailing.State.HELD, hold=Mailing.Hold.FROZEN
    )
    Site.objects.filter(frozen=True).update(frozen=False, frozen_at=None)
    log.warning("thaw-site", extra={"paused": paused})
    return paused
