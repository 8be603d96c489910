"""Time a worker's stages, in separate runs because the clocks take time too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter, process_time
from typing import Any

from newsletter.delivery.sending import protocol, sender
from newsletter.transport import template
from newsletter.transport.smtp.transport import SmtpTransport


class Clocks:
    """`seconds[stage]` is [elapsed time, CPU time of this process] in seconds, without the stages
    nested in it: sending runs permission and second read."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = {}
        self._inside: list[list[float]] = [[0.0, 0.0]]

    @contextmanager
    def running(self, stage: str) -> Iterator[None]:
        self._inside.append([0.0, 0.0])
        wall, cpu = perf_counter(), process_time()
        try:
            yield
        finally:
            wall, cpu = perf_counter() - wall, process_time() - cpu
            inner_wall, inner_cpu = self._inside.pop()
            spent = self.seconds.setdefault(stage, [0.0, 0.0])
            spent[0] += wall - inner_wall
            spent[1] += cpu - inner_cpu
            self._inside[-1][0] += wall
            self._inside[-1][1] += cpu


def install() -> Clocks:
    """Replace the stages with timed ones."""
    clocks = Clocks()
    for holder, name, stage in (
        (protocol, "claim", "claim"),
        (protocol, "permit", "permit"),
        (protocol, "finish", "finish"),
        (sender, "_read_recipients", "second read"),
        (sender, "compiled_edition", "compile"),
        (template, "render", "message"),
    ):
        setattr(holder, name, _timed(getattr(holder, name), stage, clocks))
    maker: Any = vars(sender)["recipient_factory"]
    setattr(sender, "recipient_factory", _timed_factory(maker, clocks))  # noqa: B010 - a function
    send: Any = SmtpTransport.send
    setattr(SmtpTransport, "send", _timed_each(send, "send", clocks))  # noqa: B010 - a method
    return clocks


def _timed_factory(factory: Any, clocks: Clocks) -> Any:
    """Time the functions that the factory returns."""
    return lambda mailing_id: _timed(factory(mailing_id), "placeholders", clocks)


def _timed(function: Callable[..., Any], stage: str, clocks: Clocks) -> Any:
    def timed(*args: Any, **kwargs: Any) -> Any:
        with clocks.running(stage):
            return function(*args, **kwargs)

    return timed


def _timed_each(function: Callable[..., Any], stage: str, clocks: Clocks) -> Any:
    """Time a generator without its consumer."""

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
