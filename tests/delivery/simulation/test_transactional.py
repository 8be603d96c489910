"""Every fault at every step of sending transactional emails: none is lost, none sent twice."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db.models.functions import Now

from newsletter.delivery.sending import protocol
from newsletter.delivery.transactional import outbox
from newsletter.digest import mjml
from newsletter.digest.mjml import FragmentMarkers
from newsletter.editorial.models import Issue, Newsletter
from subscribers import lifecycle
from subscribers.addresses import normalise
from subscribers.lifecycle import SignupRequest
from subscribers.models import TransactionalEmail
from subscribers.transactional import texts
from tests.approving import approve_all
from tests.delivery.conftest import AddReader, reset_transports
from tests.delivery.simulation.base import Fault, InvariantError
from tests.delivery.simulation.conftest import use_relay
from tests.delivery.simulation.relay import Answer
from tests.delivery.simulation.transactional import LatestIssueSimulation, TransactionalSimulation

FAULTS = [Fault.KILL, Fault.LOSE_CONNECTION, Fault.STALL_LONG, Fault.STALL_SHORT, Fault.SIGTERM]
MIXED_ANSWERS = [
    [Answer.DEFER, Answer.DEFER_AND_DISCONNECT],
    [Answer.DISCONNECT, Answer.ACCEPT_AND_DISCONNECT],
    [Answer.DEFER_AND_DISCONNECT, Answer.REFUSE],
]
"""The relay's answers to each reader, in order; after these it accepts."""


@pytest.fixture
def confirmations(
    without_fsync: None, weekly: Newsletter, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TransactionalSimulation]:
    """Three readers who signed up; a confirmation is due to each of them."""
    settings.DELIVERY_TRANSPORTS = ["memory://relay"]
    for number in range(len(MIXED_ANSWERS)):
        lifecycle.sign_up(
            normalise(f"r{number}@readers.example"),
            SignupRequest(
                newsletter_id=weekly.pk,
                languages=("en",),
                page_language="en",
                wording="I want it.",
                asked_at=datetime(2026, 1, 5, tzinfo=UTC),
            ),
        )
    # Render each email only once: it takes ten times as long as the rest of a state.
    rendered = {email.pk: texts.write(email) for email in TransactionalEmail.objects.all()}
    monkeypatch.setattr(texts, "write", lambda email: rendered[email.pk])
    simulation = TransactionalSimulation()
    simulation.save_rows()
    use_relay(simulation, monkeypatch)
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
    approve_all()
    TransactionalEmail.objects.create(
        kind=TransactionalEmail.Kind.ISSUE,
        subscriber=add_reader("ala@readers.example", "en").subscriber,
        newsletter=issue.newsletter,
        about=str(issue.pk),
        due_at=Now(),
    )
    rendered: list[str] = []

    def render_once(source: str, slots: FragmentMarkers) -> str:
        """Render MJML only once: it takes longer than the rest of a state."""
        if not rendered:
            rendered.append(mjml.to_html(source, slots))
        return rendered[0]

    monkeypatch.setattr("newsletter.digest.render.to_html", render_once)
    simulation = LatestIssueSimulation()
    simulation.save_rows()
    use_relay(simulation, monkeypatch)
    yield simulation
    reset_transports()


def run_every_state(
    simulation: TransactionalSimulation,
    fault: Fault,
    answers: Sequence[Sequence[Answer]] = MIXED_ANSWERS,
) -> int:
    """Run one state for each step that allows the fault; return how many."""

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
def test_every_step_of_a_confirmation(
    confirmations: TransactionalSimulation, fault: Fault, record_states: Callable[[int], None]
) -> None:
    record_states(run_every_state(confirmations, fault))


@pytest.mark.parametrize(
    "fault",
    [Fault.KILL, Fault.LOSE_CONNECTION, Fault.STALL_LONG],
    ids=lambda fault: fault.name.lower(),
)
def test_every_step_of_the_latest_issue_for_one_reader(
    latest_issue: LatestIssueSimulation, fault: Fault, record_states: Callable[[int], None]
) -> None:
    """The email becomes a batch of one, exactly once."""
    record_states(run_every_state(latest_issue, fault, [[Answer.DEFER]]))


def without_the_fence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove only the fence: states and leases are still checked."""

    def permit(email: TransactionalEmail) -> bool:
        claimed = TransactionalEmail.objects.filter(
            outbox.SENDING_ALLOWED,
            pk=email.pk,
            state=outbox.State.CLAIMED,
            lease_until__gt=Now(),
        )
        sending = outbox.State.SENDING
        return claimed.update(state=sending, lease_until=Now() + protocol.lease()) == 1

    def finish(
        email: TransactionalEmail,
        before: TransactionalEmail.State,
        after: TransactionalEmail.State,
        **facts: Any,
    ) -> None:
        TransactionalEmail.objects.filter(pk=email.pk, state=before).update(
            state=after, lease_until=None, **facts
        )

    monkeypatch.setattr(outbox, "_permit", permit)
    monkeypatch.setattr(outbox, "_finish", finish)


def without_the_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hand over an email that is only CLAIMED: the rescue then takes it for unsent."""
    finish = outbox._finish

    def finish_claimed(
        email: TransactionalEmail,
        before: TransactionalEmail.State,
        after: TransactionalEmail.State,
        **facts: Any,
    ) -> None:
        finish(email, outbox.State.CLAIMED, after, **facts)

    monkeypatch.setattr(outbox, "_permit_or_requeue", lambda email: True)
    monkeypatch.setattr(outbox, "_finish", finish_claimed)


@pytest.mark.parametrize(
    ("remove_safeguard", "fault", "violation"),
    [
        (without_the_fence, Fault.STALL_SHORT, "sent twice"),
        (without_the_permission, Fault.KILL, "sent twice"),
    ],
)
def test_the_simulation_notices_a_missing_safeguard(
    confirmations: TransactionalSimulation,
    monkeypatch: pytest.MonkeyPatch,
    remove_safeguard: Callable[[pytest.MonkeyPatch], None],
    fault: Fault,
    violation: str,
) -> None:
    remove_safeguard(monkeypatch)
    with pytest.raises(InvariantError, match=violation):
        run_every_state(confirmations, fault)
