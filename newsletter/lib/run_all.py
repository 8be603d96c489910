"""Runs independent steps, all of them even if some fail."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from celery.exceptions import SoftTimeLimitExceeded

T = TypeVar("T")


def run_all(steps: Iterable[tuple[str, Callable[[], T]]]) -> dict[str, T]:
    """Run all steps and return their results by name.

    Raises an ExceptionGroup of the steps' exceptions, each with a note that names its step, after
    all steps have run. SoftTimeLimitExceeded is raised at once.
    """
    results: dict[str, T] = {}
    errors: list[Exception] = []
    for name, step in steps:
        try:
            results[name] = step()
        except SoftTimeLimitExceeded:
            raise
        except Exception as error:  # noqa: BLE001 - raised below
            error.add_note(f"In the step: {name}")
            errors.append(error)
    if errors:
        raise ExceptionGroup(f"{len(errors)} of {len(results) + len(errors)} steps failed", errors)
    return results
