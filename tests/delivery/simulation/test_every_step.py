"""Each thing that can happen, at each step of small send-outs; the account after each."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import pytest

from tests.delivery.simulation.conftest import MakeWorld
from tests.delivery.simulation.world import Answer, Fault, World

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
    world: World, fault: Fault, answers: dict[int, list[Answer]], *, window: int | None
) -> int:
    """Run one state for each step that allows the fault; returns how many."""
    world.restore(window=window)
    script(world, answers)
    world.run()
    steps = [step.number for step in world.trail if step.allows(fault)]
    for number in steps:
        world.restore((number, fault), window=window)
        script(world, answers)
        try:
            world.run()
        except BaseException as error:
            error.add_note(f"{fault} at step {number} of {len(steps)}")
            raise
    return len(steps)


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.name.lower())
@pytest.mark.parametrize("window", [None, 2], ids=["smtp", "provider"])
def test_every_step(
    make_world: MakeWorld, fault: Fault, window: int | None, states: Callable[[int], None]
) -> None:
    # For one who wakes while others send, there is a second batch.
    world = make_world(6, batch=3 if fault is Fault.DOZE else 6, step=2)
    states(every_state(world, fault, ROUGH, window=window))
