"""The workers' Celery tasks: each takes IDs, calls one function and returns counts."""

from __future__ import annotations

import random
from datetime import datetime
from time import monotonic

from celery import shared_task
from django.conf import settings

from newsletter.delivery.feedback import memory, rates
from newsletter.delivery.oversight import (
    alerts,
    control,
    kill_switch,
    mailbox_watch,
    restore_guard,
    retention,
    task_runs,
)
from newsletter.delivery.planning import dispatch, snapshot
from newsletter.delivery.sending import protocol, rescue, transports, wake_ups
from newsletter.delivery.sending.sender import send_batch
from newsletter.delivery.transactional import outbox, staff_mail
from newsletter.delivery.trial import outbox as trial_outbox
from newsletter.delivery.worker import heartbeat, shutdown
from newsletter.editorial import deletion, missing_copies, picture_files
from newsletter.lib.queue import wake
from newsletter.lib.run_all import run_all
from subscribers import intake, personal_data
from subscribers.crypto import rotation
from subscribers.models import Intake

KEEP_SENDING_SECONDS = 60
"""How long one wake-up keeps a worker sending, well below the task's time limit."""
ROTATION_BATCH = 5000
"""How many readers one tick seals again under new keys: about a second's work."""
WEBHOOKS_PER_DRAIN = 300
"""How many providers' POSTs one drain reads: some seconds' work if each has 100 events."""
WEBHOOKS_AT_ONCE = 20
"""How many of them share a transaction."""
BATCH_CHOICES = 16
"""How many of the due batches a worker picks its next one from."""
COPIES_SECONDS = 10
"""How long one tick makes copies of pictures that have none, such as those of an import."""


TICK_SECONDS = 2
DRAIN_SECONDS = 1
"""A tick or a drain does nothing if another began less than so many seconds ago: then a queue that
grew while no worker ran is soon empty."""


@shared_task(name="delivery.tick")
def tick() -> dict[str, int]:
    """Each minute: start what is due, rescue what was lost, finish what is done."""
    if not task_runs.begin(task_runs.TICK, at_most_every=TICK_SECONDS):
        return {}
    with heartbeat.pinged(), task_runs.recorded(task_runs.TICK):
        return run_tick()


def run_tick(at: datetime | None = None) -> dict[str, int]:
    """Run the steps of a tick; return their counts. Raises an ExceptionGroup if any of them failed.

    The time is that of the database's clock (E8).
    """
    restore_guard.watch()
    now = at or protocol.database_now()
    return run_all(
        [
            ("ended", rescue.end_lost_leases),
            ("rescued", rescue.rescue_batches),
            ("transactional", outbox.rescue),
            ("dispatched", lambda: len(dispatch.dispatch(now))),
            ("prepared", dispatch.prepare_waiting),
            ("cancelled", control.settle_cancelled),
            ("finished", rescue.finish_mailings),
            ("woken", wake_ups.wake_due),
            ("rotated", lambda: rotation.rotate(ROTATION_BATCH).done),
            ("pruned", lambda: personal_data.prune(now)),
            ("paused", rates.check_all),
            ("forgotten", lambda: memory.prune(now)),
            ("collapsed", lambda: retention.collapse(now)),
            ("purged", lambda: deletion.purge(now)),
            ("trials", trial_outbox.prune),
            ("alerts", alerts.watch),
            (
                "mailbox",
                lambda: int(bool(settings.BOUNCE_MAILBOX) and wake("delivery.read_mailbox")),
            ),
            ("files", lambda: picture_files.delete_discarded(now)),
            # Last, because it may take seconds.
            ("copies", lambda: missing_copies.make_missing(seconds=COPIES_SECONDS)),
        ]
    )


@shared_task(name="delivery.drain")
def drain() -> dict[str, int]:
    """Every few seconds: process the intake and send transactional emails.

    Both wait while the kill switch is on.
    """
    if not task_runs.begin(task_runs.DRAIN, at_most_every=DRAIN_SECONDS):
        return {}
    with task_runs.recorded(task_runs.DRAIN):
        counts = run_drain()
        transports.write_usage()
        return counts


def run_drain() -> dict[str, int]:
    """Run the steps of a drain; return their counts, or nothing while the kill switch is on."""
    if kill_switch.is_engaged():
        return {}
    return run_all(
        [
            ("intake", lambda: intake.drain(200)),
            ("transactional", lambda: outbox.drain(100, stop=shutdown.requested)),
            ("staff", staff_mail.drain),
            ("webhooks", lambda: drain_webhooks(WEBHOOKS_PER_DRAIN)),
            ("trials", lambda: trial_outbox.drain(stop=shutdown.requested)),
        ]
    )


def drain_webhooks(limit: int) -> int:
    """Read up to `limit` of the POSTs that providers sent; return how many."""
    return intake.drain_bulk(Intake.Kind.WEBHOOK, limit=limit, at_once=WEBHOOKS_AT_ONCE)


@shared_task(name="delivery.prepare")
def prepare(mailing_id: int) -> str:
    """Take one mailing's snapshot of its audience; return its state."""
    return snapshot.prepare(mailing_id).state


@shared_task(name="delivery.tell_staff")
def tell_staff() -> int:
    """Email staff, and notify ALERT_URLS, about failures that they don't know of yet.

    It is a separate task: a relay that doesn't answer mustn't hold up the tick.
    """
    told = alerts.tell()
    transports.write_usage()
    return told


@shared_task(name="delivery.trial_emails")
def trial_emails() -> int:
    """Send test emails; return how many."""
    sent = trial_outbox.drain(stop=shutdown.requested)
    transports.write_usage()
    return sent


@shared_task(name="delivery.read_mailbox")
def read_mailbox() -> int:
    """Read the mailbox for bounces; return how many emails were acted on or left alone."""
    if kill_switch.is_engaged():
        return 0
    status = mailbox_watch.read()
    return sum(status.counts.values())


def _must_wait() -> bool:
    """Return whether nothing can be sent now: the worker is to stop, or all transports are down.

    Recovery wakes a worker once a pause is over.
    """
    return shutdown.requested() or transports.all_down()


@shared_task(name="delivery.send")
def send(batch_id: int) -> int:
    """Send this batch, then others that are due; return how many."""
    sent = int(send_batch(batch_id, stop=shutdown.requested))
    until = monotonic() + KEEP_SENDING_SECONDS
    while not _must_wait() and (due := protocol.due_batches(BATCH_CHOICES)):
        # A random one: if all workers took the first, they would compete for it.
        another = random.choice(due)  # noqa: S311
        if monotonic() >= until:
            wake("delivery.send", another)
            break
        # Transactional emails go ahead of bulk, also if the control queue's processes are busy.
        outbox.drain(20, stop=shutdown.requested)
        sent += send_batch(another, stop=shutdown.requested)
    transports.write_usage()
    return sent
