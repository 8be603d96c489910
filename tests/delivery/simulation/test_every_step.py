"""Each thing that can happen, at each step of small send-outs; the account after each."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import pytest

from tests.delivery.simulation.conftest import MakeWorld
from tests.delivery.simulation.relay import Answer
from tests.delivery.simulation.stepping import Fault
from tests.delivery.simulation.world import World

# Who is killed in mid-freeze leaves PostgreSQL's cursor open.
pytestmark = pytest.mark.filterwarnings("ignore:.*was deleted while still open:ResourceWarning")

SMOOTH: dict[int, list[Answer]] = {}
ROUGH = {
    1: [Answer.DEFER],
    2: [Answer.REFUSE],
    3: [Answer.HANG_UP],
    4: [Answer.TAKE_AND_HANG_UP],
}
"""Number of the reader -> the relay's answers to them, one after another, then 250."""


def script(world: World, answers: dict[int, list[Answer]]) -> None:
    for number, texts in answers.items():
        reader = world.subscriptions[number].subscriber_id
        world.relay.script[reader] = deque(texts)


def every_state(
    world: World,
    fault: Fault,
    answers: dict[int, list[Answer]],
    *,
    window: int | None,
    lead: int = 0,
    before: tuple[int, Fault] | None = None,
) -> int:
    """Run one state for each step that allows the fault, after another one if `before` says so;
    returns how many."""
    others = () if before is None else (before,)
    world.restore(*others, window=window, lead=lead)
    script(world, answers)
    world.run()
    since = before[0] if before else 0
    steps = [step.number for step in world.trail if step.number > since and step.allows(fault)]
    for number in steps:
        world.restore(*others, (number, fault), window=window, lead=lead)
        script(world, answers)
        try:
            world.run()
        except BaseException as error:
            error.add_note(f"{fault} at step {number} of {steps[-1]}")
            raise
    return len(steps)


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.name.lower())
def test_every_step(make_world: MakeWorld, fault: Fault, states: Callable[[int], None]) -> None:
    # For one who wakes while others send, there is a second batch.
    world = make_world(6, batch=3 if fault is Fault.DOZE else 6, step=2)
    states(every_state(world, fault, ROUGH, window=None))


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.name.lower())
def test_every_step_with_messages_ahead_of_the_replies(
    make_world: MakeWorld, fault: Fault, states: Callable[[int], None]
) -> None:
    world = make_world(6, batch=3 if fault is Fault.DOZE else 6, step=2)
    states(every_state(world, fault, ROUGH, window=None, lead=2))


@pytest.mark.parametrize(
    "fault", [Fault.KILL, Fault.SLEEP, Fault.LEAVE], ids=lambda f: f.name.lower()
)
def test_every_step_with_a_provider(
    make_world: MakeWorld, fault: Fault, states: Callable[[int], None]
) -> None:
    world = make_world(4, batch=4, step=2)
    states(every_state(world, fault, {1: [Answer.DEFER]}, window=2))


@pytest.mark.parametrize(
    "fault", [Fault.KILL, Fault.LOSE, Fault.SLEEP], ids=lambda f: f.name.lower()
)
def test_every_step_of_the_freeze(
    make_world: MakeWorld, fault: Fault, states: Callable[[int], None]
) -> None:
    world = make_world(2, batch=2, step=2, frozen=False)
    states(every_state(world, fault, SMOOTH, window=None))


@pytest.mark.parametrize(
    "fault", [Fault.KILL, Fault.LOSE, Fault.SLEEP], ids=lambda f: f.name.lower()
)
def test_every_step_of_the_rescue(
    make_world: MakeWorld, fault: Fault, states: Callable[[int], None]
) -> None:
    """The worker dies when the relay has taken a mail, then whoever rescues its batch does."""
    world = make_world(4, batch=4, step=2)
    world.restore()
    world.run()
    taken = [at for _, at in world.relay.accepted][2] + 1
    before = (taken, Fault.KILL)
    states(every_state(world, fault, SMOOTH, window=None, before=before))
