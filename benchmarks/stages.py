"""Clocks around a worker's stages, for a run of their own: the clocks cost time too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter, process_time
from typing import Any

from newsletter.delivery import progress, sender
from newsletter.transport.smtp.transport import SmtpTransport


class Clocks:
    """`seconds[stage]`: wall time and this process's CPU time, both in seconds."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = {}

    @contextmanager
    def running(self, stage: str) -> Iterator[None]:
        wall, cpu = perf_counter(), process_time()
        try:
            yield
        finally:
            spent = self.seconds.setdefault(stage, [0.0, 0.0])
            spent[0] += perf_counter() - wall
            spent[1] += process_time() - cpu


def install() -> Clocks:
    """Replace the stages by timed ones."""
    clocks = Clocks()
    for holder, name, stage in (
        (progress, "claim", "claim"),
        (progress, "permit", "permit"),
        (progress, "finish", "finish"),
        (sender, "_second_read", "second read"),
        (sender, "compiled_edition", "compile"),
    ):
        setattr(holder, name, _timed(getattr(holder, name), stage, clocks))
    send: Any = SmtpTransport.send
    setattr(SmtpTransport, "send", _timed_each(send, "send", clocks))  # noqa: B010 - a method
    return clocks


def _timed(function: Callable[..., Any], stage: str, clocks: Clocks) -> Any:
    def timed(*args: Any, **kwargs: Any) -> Any:
        with clocks.running(stage):
            return function(*args, **kwargs)

    return timed


def _timed_each(function: Callable[..., Any], stage: str, clocks: Clocks) -> Any:
    """A generator's own time, without its consumer's."""

    def timed(*args: Any, **kwargs: Any) -> Iterator[Any]:
        steps = function(*args, **kwargs)
        try:
            while True:
                with clocks.running(stage):
                    item = next(steps, None)
                if item is None:
                    return
                yield item
        finally:
            steps.close()

    return timed
