"""A step that fails does not stop the others."""

from __future__ import annotations

import pytest
from celery.exceptions import SoftTimeLimitExceeded

from newsletter.lib.run_all import run_all


def fails(error: BaseException) -> int:
    raise error


def append(done: list[str], name: str) -> int:
    done.append(name)
    return len(done)


def test_all_steps_run_and_errors_are_raised_afterwards() -> None:
    done: list[str] = []
    steps = [
        ("first", lambda: fails(ValueError("one"))),
        ("second", lambda: append(done, "second")),
        ("third", lambda: fails(KeyError("three"))),
        ("fourth", lambda: append(done, "fourth")),
    ]
    with pytest.raises(ExceptionGroup, match="2 of 4") as caught:
        run_all(steps)
    assert done == ["second", "fourth"]
    first, third = caught.value.exceptions
    assert isinstance(first, ValueError)
    assert isinstance(third, KeyError)
    assert first.__notes__ == ["In the step: first"]


def test_results_are_returned_by_name() -> None:
    assert run_all([("a", lambda: 1), ("b", lambda: 2)]) == {"a": 1, "b": 2}
    assert run_all([]) == {}


@pytest.mark.parametrize("end", [SoftTimeLimitExceeded(), KeyboardInterrupt(), SystemExit(1)])
def test_an_interrupt_ends_at_once(end: BaseException) -> None:
    done: list[str] = []
    with pytest.raises(type(end)):
        run_all([("a", lambda: fails(end)), ("b", lambda: append(done, "b"))])
    assert done == []
