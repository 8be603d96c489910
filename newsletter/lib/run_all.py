"""Steps that do not depend on each other: one that fails keeps none of the others from its turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from celery.exceptions import SoftTimeLimitExceeded

T = TypeVar("T")


def run_all(steps: Iterable[tuple[str, Callable[[], T]]]) -> dict[str, T]:
    """What each came to, by its name.

    Raises an ExceptionGroup of what failed, each with a note of its step, once all had their turn.
    """
    done: dict[str, T] = {}
    failed: list[Exception] = []
    for name, step in steps:
        try:
            done[name] = step()
        except SoftTimeLimitExceeded:
            raise
        except Exception as error:  # noqa: BLE001 - raised below, with those of the other steps
            error.add_note(f"In the step: {name}")
            failed.append(error)
    if failed:
        raise ExceptionGroup(f"{len(failed)} of {len(done) + len(failed)} steps failed", failed)
    return done
