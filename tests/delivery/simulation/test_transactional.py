"""Each thing that can happen, at each step of some letters' way: none forgotten, none twice."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db.models.functions import Now

from newsletter.delivery.sending import protocol, transports
from newsletter.delivery.transactional import outbox
from newsletter.delivery.transactional.outbox import ClaimedEmail
from newsletter.digest import render
from newsletter.digest.mjml import Placeholders
from newsletter.editorial.models import Issue, Newsletter
from subscribers import lifecycle
from subscribers.addresses import normalise
from subscribers.lifecycle import SignupRequest
from subscribers.models import TransactionalEmail
from tests.delivery.conftest import AddReader, reset_transports
from tests.delivery.simulation.base import Fault, InvariantError
from tests.delivery.simulation.relay import Answer
from tests.delivery.simulation.transactional import LatestIssueSimulation, TransactionalSimulation

FAULTS = [Fault.KILL, Fault.LOSE_CONNECTION, Fault.STALL_LONG, Fault.STALL_SHORT, Fault.SIGTERM]
MIXED_ANSWERS = [
    [Answer.DEFER, Answer.DEFER_AND_DISCONNECT],
    [Answer.DISCONNECT, Answer.ACCEPT_AND_DISCONNECT],
    [Answer.DEFER_AND_DISCONNECT, Answer.REFUSE],
]
"""The relay's answers to each of the readers, one after another, then 250."""


@pytest.fixture
def confirmations(
    without_fsync: None, weekly: Newsletter, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TransactionalSimulation]:
    """Three readers who asked for the newsletter, to each of whom a confirmation is due."""
    settings.DELIVERY_TRANSPORTS = ["memory://relay"]
    for number in range(len(MIXED_ANSWERS)):
        lifecycle.request(
            normalise(f"r{number}@readers.example"),
            SignupRequest(
                newsletter_id=weekly.pk,
                languages=("en",),
                page_language="en",
                wording="I want it.",
                asked_at=datetime(2026, 1, 5, tzinfo=UTC),
            ),
        )
    # What they say is rendered once: it takes ten times what all the rest of their way does.
    written = {email.pk: outbox.wording.write(email) for email in TransactionalEmail.objects.all()}
    monkeypatch.setattr(outbox.wording, "write", lambda email: written[email.pk])
    simulation = TransactionalSimulation()
    simulation.save_rows()
    monkeypatch.setattr(transports, "configured", lambda: (simulation.relay,))
    monkeypatch.setattr(protocol, "PATIENCE", (0.0,) * 5)
    yield simulation
    reset_transports()


@pytest.fixture
def latest_issue(
    without_fsync: None,
    add_reader: AddReader,
    issue: Issue,
    write_article: Callable[..., Any],
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[LatestIssueSimulation]:
    """A reader who asked for the latest issue."""
    settings.DELIVERY_TRANSPORTS = ["memory://relay"]
    write_article(issue=issue, en="Minsk looks east")
    Issue.objects.update(state=Issue.State.APPROVED)
    TransactionalEmail.objects.create(
        kind=TransactionalEmail.Kind.ISSUE,
        subscriber=add_reader("ala@readers.example", "en").subscriber,
        newsletter=issue.newsletter,
        about=str(issue.pk),
        due_at=Now(),
    )
    made: list[str] = []
    to_html = render.to_html

    def once(source: str, slots: Placeholders) -> str:
        """MJML takes longer than all the rest of a state."""
        if not made:
            made.append(to_html(source, slots))
        return made[0]

    monkeypatch.setattr(render, "to_html", once)
    simulation = LatestIssueSimulation()
    simulation.save_rows()
    monkeypatch.setattr(transports, "configured", lambda: (simulation.relay,))
    monkeypatch.setattr(protocol, "PATIENCE", (0.0,) * 5)
    yield simulation
    reset_transports()


def run_every_state(
    simulation: TransactionalSimulation,
    fault: Fault,
    answers: Sequence[Sequence[Answer]] = MIXED_ANSWERS,
) -> int:
    """Run one state for each step that allows the fault; returns how many."""

    def run(*faults: tuple[int, Fault]) -> None:
        simulation.restore(*faults)
        for reader, replies in zip(simulation.readers, answers, strict=True):
            simulation.relay.script[reader] = deque(replies)
        simulation.run()

    run()
    steps = [step.number for step in simulation.history if step.allows(fault)]
    for number in steps:
        try:
            run((number, fault))
        except BaseException as error:
            error.add_note(f"{fault} at step {number} of {steps[-1]}")
            raise
    return len(steps)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name.lower())
def test_every_step_of_letters(
    confirmations: TransactionalSimulation, fault: Fault, record_states: Callable[[int], None]
) -> None:
    record_states(run_every_state(confirmations, fault))


@pytest.mark.parametrize(
    "fault",
    [Fault.KILL, Fault.LOSE_CONNECTION, Fault.STALL_LONG],
    ids=lambda fault: fault.name.lower(),
)
def test_every_step_of_the_latest_issue_for_one(
    latest_issue: LatestIssueSimulation, fault: Fault, record_states: Callable[[int], None]
) -> None:
    """It becomes a batch of one, once."""
    record_states(run_every_state(latest_issue, fault, [[Answer.DEFER]]))


def without_the_fence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but the fence is missing: states and leases are looked at as they were."""

    def move(
        held: ClaimedEmail, before: TransactionalEmail.State, after: TransactionalEmail.State
    ) -> bool:
        mine = TransactionalEmail.objects.filter(
            outbox.SENDING_ALLOWED, pk=held.email.pk, state=before, lease_until__gt=Now()
        )
        return mine.update(state=after, lease_until=Now() + protocol.lease()) == 1

    def end(
        held: ClaimedEmail,
        before: TransactionalEmail.State,
        after: TransactionalEmail.State,
        **facts: Any,
    ) -> None:
        mine = TransactionalEmail.objects.filter(pk=held.email.pk, state=before)
        mine.update(state=after, lease_until=None, **facts)

    monkeypatch.setattr(outbox, "_move", move)
    monkeypatch.setattr(outbox, "_end", end)


def without_the_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    """Handed over while it is only claimed: whoever rescues it takes it for unsent."""
    end = outbox._finish

    def ended(
        held: ClaimedEmail,
        before: TransactionalEmail.State,
        after: TransactionalEmail.State,
        **facts: Any,
    ) -> None:
        end(held, outbox.State.CLAIMED, after, **facts)

    monkeypatch.setattr(outbox, "_permitted", lambda held: True)
    monkeypatch.setattr(outbox, "_end", ended)


@pytest.mark.parametrize(
    ("mutate", "fault", "seen"),
    [
        (without_the_fence, Fault.STALL_SHORT, "sent twice"),
        (without_the_permission, Fault.KILL, "sent twice"),
    ],
)
def test_a_guard_that_is_missing_is_missed(
    confirmations: TransactionalSimulation,
    monkeypatch: pytest.MonkeyPatch,
    mutate: Callable[[pytest.MonkeyPatch], None],
    fault: Fault,
    seen: str,
) -> None:
    mutate(monkeypatch)
    with pytest.raises(InvariantError, match=seen):
        run_every_state(confirmations, fault)
