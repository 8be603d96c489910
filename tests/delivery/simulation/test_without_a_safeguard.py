"""Remove one safeguard of the protocol at a time, and show that the simulation notices.

Each mutation is the production code with one thing missing, run through the same states; at least
one state must end in a violation.

Removing only a batch's fence goes unnoticed, and must: the row is claimed once in its life, because
the rest of it goes into a successor, which is another row. So the state CLAIMED implies all
that the fence does, and a rescue closes the row; `MailingSimulation.check` asserts in every state
that no fence counts more than one claim and the finish. So this test removes all
three conditions that refuse a worker which lost its batch: fence, state and lease.

The fence matters if somebody reopens a row by hand (test_sender.py). Transactional emails, whose
rows are claimed repeatedly, are also tested with only the fence removed (test_transactional.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from newsletter.delivery.models import Batch
from newsletter.delivery.sending import protocol, sender
from newsletter.delivery.sending.messages import recipient_factory
from newsletter.delivery.sending.progress import BatchProgress
from newsletter.delivery.sending.protocol import Claim
from newsletter.transport.outcomes import Recipient
from subscribers.audience import Reader
from subscribers.models import Subscription
from tests.delivery.simulation.base import Fault, InvariantError
from tests.delivery.simulation.conftest import MakeSimulation
from tests.delivery.simulation.test_every_step import ALL_ACCEPTED, run_every_state

RemoveSafeguard = Callable[[pytest.MonkeyPatch], None]


def without_fence_state_and_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """Permit every worker that once claimed the batch, even if it has lost it since."""

    def permit(claim: Claim, *, upto: int, results: bytes, **_rest: object) -> bool:
        permitted = Batch.objects.filter(protocol._may_send(), pk=claim.batch_id).update(
            intent=upto, results=results, lease_until=Now() + protocol.lease()
        )
        return permitted == 1

    monkeypatch.setattr(protocol, "permit", permit)


def without_the_second_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send to everyone in the snapshot, whether or not they have unsubscribed since."""

    def first_read(progress: BatchProgress, window: range) -> list[Recipient]:
        recipients = []
        for position in window:
            subscription = Subscription.objects.get(
                subscriber_id=progress.claim.readers[position],
                newsletter_id=progress.claim.newsletter_id,
            )
            reader = Reader(
                subscription.subscriber_id, subscription.pk, "someone@readers.example", "en"
            )
            recipients.append(recipient_factory(progress.claim.mailing_id)(position, reader))
        return recipients

    monkeypatch.setattr(sender, "_read_recipients", first_read)


def with_the_second_read_before_the_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read each window a second time before it is permitted, not after."""
    permit, read = protocol.permit, sender._read_recipients
    progresses: dict[int, BatchProgress] = {}
    early: dict[tuple[int, int], list[Recipient]] = {}
    init = BatchProgress.__post_init__

    def init_and_remember(progress: BatchProgress) -> None:
        init(progress)
        progresses[progress.claim.batch_id] = progress

    def read_and_permit(claim: Claim, *, upto: int, **stored: Any) -> bool:
        for window in (
            range(at, min(at + 2, len(claim.readers))) for at in range(0, len(claim.readers), 2)
        ):
            if window.stop == upto:
                early[claim.batch_id, window.start] = read(progresses[claim.batch_id], window)
        return permit(claim, upto=upto, **stored)

    monkeypatch.setattr(BatchProgress, "__post_init__", init_and_remember)
    monkeypatch.setattr(protocol, "permit", read_and_permit)
    monkeypatch.setattr(
        sender,
        "_read_recipients",
        lambda progress, window: early[progress.claim.batch_id, window.start],
    )


def without_the_durable_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Permit and hand over in one transaction: if the worker dies, the permission is lost."""
    send_windows = sender._send_windows

    def send_in_one_transaction(progress: BatchProgress, *arguments: Any) -> None:
        with transaction.atomic():
            send_windows(progress, *arguments)

    monkeypatch.setattr(sender, "_send_windows", send_in_one_transaction)


def without_the_single_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each statement of `finish` commit separately."""
    # PostgreSQL locks rows only in a transaction.
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **_: rows)
    monkeypatch.setattr(protocol, "_finish", protocol._finish.__wrapped__)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("remove_safeguard", "fault", "violation"),
    [
        (without_fence_state_and_lease, Fault.STALL_SHORT, "sent twice"),
        (without_the_second_read, Fault.UNSUBSCRIBE, "sent to after unsubscribing"),
        (
            with_the_second_read_before_the_permission,
            Fault.UNSUBSCRIBE,
            "sent to after unsubscribing",
        ),
        (without_the_durable_commit, Fault.KILL, "neither recorded nor in doubt"),
        (without_the_single_transaction, Fault.KILL, "twice|lost|forgotten|duplicate|UNIQUE"),
    ],
)
def test_the_simulation_notices_a_missing_safeguard(
    make_simulation: MakeSimulation,
    monkeypatch: pytest.MonkeyPatch,
    remove_safeguard: RemoveSafeguard,
    fault: Fault,
    violation: str,
) -> None:
    simulation = make_simulation(4, batch=2 if fault is Fault.STALL_SHORT else 4, step=2)
    run_every_state(simulation, fault, ALL_ACCEPTED, window=None)
    remove_safeguard(monkeypatch)
    with pytest.raises(InvariantError, match=violation):
        run_every_state(simulation, fault, ALL_ACCEPTED, window=None)
