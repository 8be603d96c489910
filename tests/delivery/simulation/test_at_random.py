"""Larger mailings: several faults at random steps, with a relay that answers at random."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.delivery.simulation.base import Fault
from tests.delivery.simulation.conftest import MakeSimulation
from tests.delivery.simulation.relay import Answer

READERS = 30
faults = st.lists(st.tuples(st.integers(1, 400), st.sampled_from(Fault)), max_size=6)
answers = st.dictionaries(
    st.integers(0, READERS - 1), st.lists(st.sampled_from(Answer), min_size=1, max_size=3)
)


def test_faults_at_random_steps(
    make_simulation: MakeSimulation, settings: Any, record_states: Callable[[int], None]
) -> None:
    simulation = make_simulation(READERS, batch=10, step=4)
    checked = 0

    @few_examples
    @given(faults, answers, st.sampled_from([None, 3]), st.integers(1, 5))
    def check_state(
        planned_faults: list[tuple[int, Fault]],
        script: dict[int, list[Answer]],
        window: int | None,
        step: int,
    ) -> None:
        nonlocal checked
        settings.SEND_STEP = step
        simulation.restore(*planned_faults, window=window)
        for number, replies in script.items():
            simulation.relay.script[simulation.subscriptions[number].subscriber_id] = deque(replies)
        simulation.run()
        checked += 1

    check_state()
    record_states(checked)


few_examples = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # shrinking a state of so many steps takes minutes
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
