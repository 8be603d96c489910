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
from newsletter.digest.mjml import FragmentMarkers
from newsletter.editorial.models import Issue, Newsletter
from subscribers import lifecycle
from subscribers.addresses import normalise
from subscribers.lifecycle import SignupRequest
from subscribers.models import TransactionalEmail
from tests.delivery.conftest import AddReader, forget
from tests.delivery.simulation.relay import Answer
from tests.delivery.simulation.stepping import Fault, InvariantError
from tests.delivery.simulation.transactional import Mailroom, Welcomes

FAULTS = [Fault.KILL, Fault.LOSE, Fault.SLEEP, Fault.DOZE, Fault.TERM]
ROUGH = [
    [Answer.DEFER, Answer.DEFER_AND_HANG_UP],
    [Answer.HANG_UP, Answer.TAKE_AND_HANG_UP],
    [Answer.DEFER_AND_HANG_UP, Answer.REFUSE],
]
"""The relay's answers to each of the readers, one after another, then 250."""


@pytest.fixture
def mailroom(
    hurried: None, weekly: Newsletter, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Mailroom]:
    """Three readers who asked for the newsletter, to each of whom a confirmation is due."""
    settings.DELIVERY_TRANSPORTS = ["memory://relay"]
    for number in range(len(ROUGH)):
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
    room = Mailroom()
    room.keep()
    monkeypatch.setattr(transports, "configured", lambda: (room.relay,))
    monkeypatch.setattr(protocol, "PATIENCE", (0.0,) * 5)
    yield room
    forget()


@pytest.fixture
def welcomes(
    hurried: None,
    add_reader: AddReader,
    issue: Issue,
    write_article: Callable[..., Any],
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Welcomes]:
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

    def once(source: str, slots: FragmentMarkers) -> str:
        """MJML takes longer than all the rest of a state."""
        if not made:
            made.append(to_html(source, slots))
        return made[0]

    monkeypatch.setattr(render, "to_html", once)
    room = Welcomes()
    room.keep()
    monkeypatch.setattr(transports, "configured", lambda: (room.relay,))
    monkeypatch.setattr(protocol, "PATIENCE", (0.0,) * 5)
    yield room
    forget()


def every_state(room: Mailroom, fault: Fault, answers: Sequence[Sequence[Answer]] = ROUGH) -> int:
    """Run one state for each step that allows the fault; returns how many."""

    def run(*faults: tuple[int, Fault]) -> None:
        room.restore(*faults)
        for reader, replies in zip(room.readers, answers, strict=True):
            room.relay.script[reader] = deque(replies)
        room.run()

    run()
    steps = [step.number for step in room.trail if step.allows(fault)]
    for number in steps:
        try:
            run((number, fault))
        except BaseException as error:
            error.add_note(f"{fault} at step {number} of {steps[-1]}")
            raise
    return len(steps)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name.lower())
def test_every_step_of_letters(
    mailroom: Mailroom, fault: Fault, states: Callable[[int], None]
) -> None:
    states(every_state(mailroom, fault))


@pytest.mark.parametrize(
    "fault", [Fault.KILL, Fault.LOSE, Fault.SLEEP], ids=lambda fault: fault.name.lower()
)
def test_every_step_of_the_latest_issue_for_one(
    welcomes: Welcomes, fault: Fault, states: Callable[[int], None]
) -> None:
    """It becomes a batch of one, once."""
    states(every_state(welcomes, fault, [[Answer.DEFER]]))


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
    end = outbox._end

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
        (without_the_fence, Fault.DOZE, "sent twice"),
        (without_the_permission, Fault.KILL, "sent twice"),
    ],
)
def test_a_guard_that_is_missing_is_missed(
    mailroom: Mailroom,
    monkeypatch: pytest.MonkeyPatch,
    mutate: Callable[[pytest.MonkeyPatch], None],
    fault: Fault,
    seen: str,
) -> None:
    mutate(monkeypatch)
    with pytest.raises(InvariantError, match=seen):
        every_state(mailroom, fault)
