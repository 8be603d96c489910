"""The simulation sees it when one of the protocol's guards is taken away.

Each mutation is production's code with one thing missing, run through the very same states; some
state must end in a violation.

Of a batch the fence alone is not missed, and cannot be: its row is claimed once in its life, as
what is left of it goes into a successor, a row of its own. So "claimed" says all that the fence
says, and a rescue leaves it closed; `World.check` holds in each state that no fence counts more
than one claim and the end. What is taken away here is therefore all three that refuse a worker who
lost its batch: fence, state and lease. The fence is what refuses where somebody opened a row again
by hand (test_sender.py), and for letters, whose rows are claimed again and again, it is taken away
alone (test_letters.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from newsletter.delivery.models import Batch
from newsletter.delivery.sending import protocol, sender
from newsletter.delivery.sending.messages import build_recipient
from newsletter.delivery.sending.protocol import Claim
from newsletter.delivery.sending.settlement import ReplyCodes
from newsletter.transport.outcomes import Recipient
from subscribers.audience import Reader
from subscribers.models import Subscription
from tests.delivery.simulation.base import Fault, InvariantError
from tests.delivery.simulation.conftest import MakeSimulation
from tests.delivery.simulation.test_every_step import ALL_ACCEPTED, run_every_state

Mutate = Callable[[pytest.MonkeyPatch], None]


def without_fence_state_and_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever once claimed a batch is permitted, also when it was taken from them."""

    def permit(
        held: Claim, *, upto: int, results: bytes, replies: Mapping[int, ReplyCodes]
    ) -> bool:
        permitted = Batch.objects.filter(protocol._may_send(), pk=held.batch_id).update(
            intent=upto, results=results, lease_until=Now() + protocol.lease()
        )
        return permitted == 1

    monkeypatch.setattr(protocol, "permit", permit)


def without_the_second_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who was frozen is mailed: addresses as they were when the batch was claimed."""

    def first_read(run: sender.BatchProgress, window: range) -> list[Recipient]:
        recipients = []
        for position in window:
            subscription = Subscription.objects.get(
                subscriber_id=run.claim.readers[position], newsletter_id=run.claim.newsletter_id
            )
            reader = Reader(
                subscription.subscriber_id, subscription.pk, "someone@readers.example", "en"
            )
            recipients.append(build_recipient(position, run.claim.mailing_id, reader))
        return recipients

    monkeypatch.setattr(sender, "_second_read", first_read)


def with_the_second_read_before_the_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    permit, read = protocol.permit, sender._read_recipients
    runs: dict[int, sender.BatchProgress] = {}
    early: dict[tuple[int, int], list[Recipient]] = {}
    remember = sender.BatchProgress.__post_init__

    def remembered(run: sender.BatchProgress) -> None:
        remember(run)
        runs[run.claim.batch_id] = run

    def permit_late(held: Claim, *, upto: int, **stored: Any) -> bool:
        for window in sender.windows(len(held.readers), 2):
            if window.stop == upto:
                early[held.batch_id, window.start] = read(runs[held.batch_id], window)
        return permit(held, upto=upto, **stored)

    monkeypatch.setattr(sender.BatchProgress, "__post_init__", remembered)
    monkeypatch.setattr(protocol, "permit", permit_late)
    monkeypatch.setattr(
        sender, "_second_read", lambda run, window: early[run.claim.batch_id, window.start]
    )


def without_the_durable_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Permission and hand-over in one transaction: a death takes the permission back."""
    send_windows = sender._send_windows

    def within(run: sender.BatchProgress, *arguments: Any) -> None:
        with transaction.atomic():
            send_windows(run, *arguments)

    monkeypatch.setattr(sender, "_send_windows", within)


def without_the_single_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    """Finish as a row of statements that each commit."""
    # PostgreSQL locks rows in a transaction only.
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **_: rows)
    monkeypatch.setattr(protocol, "_finish", protocol._finish.__wrapped__)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("mutate", "fault", "seen"),
    [
        (without_fence_state_and_lease, Fault.STALL_SHORT, "sent twice"),
        (without_the_second_read, Fault.UNSUBSCRIBE, "mailed after they left"),
        (with_the_second_read_before_the_permission, Fault.UNSUBSCRIBE, "mailed after they left"),
        (without_the_durable_commit, Fault.KILL, "neither recorded nor in doubt"),
        (without_the_single_transaction, Fault.KILL, "twice|forgotten|duplicate|UNIQUE"),
    ],
)
def test_a_guard_that_is_missing_is_missed(
    make_simulation: MakeSimulation,
    monkeypatch: pytest.MonkeyPatch,
    mutate: Mutate,
    fault: Fault,
    seen: str,
) -> None:
    simulation = make_simulation(4, batch=2 if fault is Fault.STALL_SHORT else 4, step=2)
    run_every_state(simulation, fault, ALL_ACCEPTED, window=None)
    mutate(monkeypatch)
    with pytest.raises(InvariantError, match=seen):
        run_every_state(simulation, fault, ALL_ACCEPTED, window=None)
