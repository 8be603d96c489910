"""Every fault at every step of small mailings; the outcomes are checked after each."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import pytest

from tests.delivery.simulation.base import Fault
from tests.delivery.simulation.conftest import MakeSimulation
from tests.delivery.simulation.mailing import MailingSimulation
from tests.delivery.simulation.relay import Answer

# A worker killed while it takes the snapshot leaves PostgreSQL's cursor open.
pytestmark = pytest.mark.filterwarnings("ignore:.*was deleted while still open:ResourceWarning")

ALL_ACCEPTED: dict[int, list[Answer]] = {}
MIXED_ANSWERS = {
    1: [Answer.DEFER],
    2: [Answer.REFUSE],
    3: [Answer.DISCONNECT],
    4: [Answer.ACCEPT_AND_DISCONNECT],
}
"""The relay's answers by the reader's number, in order; after these it accepts."""


def script(simulation: MailingSimulation, answers: dict[int, list[Answer]]) -> None:
    for number, replies in answers.items():
        reader = simulation.subscriptions[number].subscriber_id
        simulation.relay.script[reader] = deque(replies)


def run_every_state(
    simulation: MailingSimulation,
    fault: Fault,
    answers: dict[int, list[Answer]],
    *,
    window: int | None,
    pipelined: int = 0,
    before: tuple[int, Fault] | None = None,
) -> int:
    """Run one state for each step that allows the fault; return how many.

    With `before`, that fault happens first in each state, and only later steps count.
    """
    earlier = () if before is None else (before,)
    simulation.restore(*earlier, window=window, pipelined=pipelined)
    script(simulation, answers)
    simulation.run()
    since = before[0] if before else 0
    steps = [
        step.number for step in simulation.history if step.number > since and step.allows(fault)
    ]
    for number in steps:
        simulation.restore(*earlier, (number, fault), window=window, pipelined=pipelined)
        script(simulation, answers)
        try:
            simulation.run()
        except BaseException as error:
            error.add_note(f"{fault} at step {number} of {steps[-1]}")
            raise
    return len(steps)


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.name.lower())
def test_every_step_of_sending(
    make_simulation: MakeSimulation, fault: Fault, record_states: Callable[[int], None]
) -> None:
    # A worker that resumes while others send needs a second batch.
    simulation = make_simulation(6, batch=3 if fault is Fault.STALL_SHORT else 6, step=2)
    record_states(run_every_state(simulation, fault, MIXED_ANSWERS, window=None))


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.name.lower())
def test_every_step_with_pipelined_messages(
    make_simulation: MakeSimulation, fault: Fault, record_states: Callable[[int], None]
) -> None:
    simulation = make_simulation(6, batch=3 if fault is Fault.STALL_SHORT else 6, step=2)
    record_states(run_every_state(simulation, fault, MIXED_ANSWERS, window=None, pipelined=2))


@pytest.mark.parametrize(
    "fault", [Fault.KILL, Fault.STALL_LONG, Fault.UNSUBSCRIBE], ids=lambda f: f.name.lower()
)
def test_every_step_with_a_provider(
    make_simulation: MakeSimulation, fault: Fault, record_states: Callable[[int], None]
) -> None:
    simulation = make_simulation(4, batch=4, step=2)
    record_states(run_every_state(simulation, fault, {1: [Answer.DEFER]}, window=2))


@pytest.mark.parametrize(
    "fault", [Fault.KILL, Fault.LOSE_CONNECTION, Fault.STALL_LONG], ids=lambda f: f.name.lower()
)
def test_every_step_of_the_snapshot(
    make_simulation: MakeSimulation, fault: Fault, record_states: Callable[[int], None]
) -> None:
    simulation = make_simulation(2, batch=2, step=2, prepared=False)
    record_states(run_every_state(simulation, fault, ALL_ACCEPTED, window=None))


@pytest.mark.parametrize(
    "fault", [Fault.KILL, Fault.LOSE_CONNECTION, Fault.STALL_LONG], ids=lambda f: f.name.lower()
)
def test_every_step_of_the_rescue(
    make_simulation: MakeSimulation, fault: Fault, record_states: Callable[[int], None]
) -> None:
    """The worker dies after the relay accepted a message, then the one that rescues its batch."""
    simulation = make_simulation(4, batch=4, step=2)
    simulation.restore()
    simulation.run()
    third_accepted = [step for _, step in simulation.relay.accepted][2]
    before = (third_accepted + 1, Fault.KILL)
    record_states(run_every_state(simulation, fault, ALL_ACCEPTED, window=None, before=before))
