"""Runs pure functions in a separate process.

Rendering emails takes 30 MB of libraries, and native code that parses what editors pasted. A worker
that runs it in another process stays small, keeps the readers' keys out of that code's reach, and
survives its crashes.

The sandbox process has settings, templates and catalogs but no applications: no models, no
database and none of the worker's keys. It starts with the first call, and again if it has ended.
It exits after a minute without calls, or as soon as its parent ends for any reason, because that
closes the connection between them.

There is one process, and calls wait for each other, because memory is scarcer than time. A command
that runs alone may use several (`parallel`).
"""

from __future__ import annotations

import atexit
import io
import os
import pickle
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection, Pipe
from typing import Any, NoReturn, ParamSpec, TypeVar

from django.apps import apps
from django.conf import settings
from django.utils.log import configure_logging
from django.utils.translation import get_language, override

from newsletter.lib.environment import without_worker_keys

P = ParamSpec("P")
R = TypeVar("R")

TIMEOUT_SECONDS = 120.0
"""How long a call may take before the process is killed."""
IDLE_SECONDS = 60.0
MAX_ATTEMPTS = 2
"""The process may have ended since the last call, and a pure function can be called again."""


_PILLOW = {"PILLOW_BLOCKS_MAX": "1"}
"""Pillow keeps one block of 16 MB for the next picture. Otherwise a third of the time for a
photograph is the kernel's, which hands out the same memory again and again."""


class SandboxEndedError(Exception):
    """The process ended during every attempt, or timed out."""


class SandboxError(Exception):
    """The function raised an unexpected exception. The text is its traceback in the sandbox."""


def run(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return `function(*args, **kwargs)`, run in the sandbox with the caller's language active.

    The function must be pure and at the top level of a module. It may return plain values, and
    return or raise instances of classes that its own package defines. Raises SandboxEndedError,
    or SandboxError for any other exception.
    """
    request = pickle.dumps((get_language(), function, args, kwargs))
    with _pool.slot() as slot:
        for attempts_left in reversed(range(MAX_ATTEMPTS)):
            try:
                kind, value = slot.running().call(request, package_of(function))
                break
            except (EOFError, OSError) as error:
                slot.stop()
                # A pure function that timed out would time out again.
                if not attempts_left or isinstance(error, TimeoutError):
                    raise SandboxEndedError(
                        f"{function.__name__}: {type(error).__name__}"
                    ) from None
            except BaseException:
                # A response that is still to come would be taken for the next call's.
                slot.stop()
                raise
    if kind == "returned":
        result: R = value
        return result
    if kind == "raised":
        raise value
    raise SandboxError(value)


def package_of(function: Callable[..., object]) -> str:
    """Return the name of the package that contains the function's module."""
    return function.__module__.rpartition(".")[0]


class _SandboxProcess:
    """The sandbox process, and the parent's end of the connection to it."""

    def __init__(self) -> None:
        self.connection, child_end = Pipe()
        path = os.pathsep.join([str(settings.BASE_DIR), *filter(None, [os.getenv("PYTHONPATH")])])
        try:
            self.process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", __name__, str(child_end.fileno())],
                env={**_PILLOW, **without_worker_keys(os.environ), "PYTHONPATH": path},
                stdin=subprocess.DEVNULL,
                pass_fds=[child_end.fileno()],
                # A signal to the worker's process group must not end a call that it waits for.
                start_new_session=True,
            )
        finally:
            child_end.close()

    def call(self, request: bytes, package: str) -> tuple[str, Any]:
        """Return the kind and the value of the response.

        Raises EOFError, TimeoutError or another OSError.
        """
        self.connection.send_bytes(request)
        if not self.connection.poll(TIMEOUT_SECONDS):
            raise TimeoutError
        return _RestrictedUnpickler(io.BytesIO(self.connection.recv_bytes()), package).response()

    def kill(self) -> None:
        self.connection.close()
        self.process.kill()
        self.process.wait()


class _RestrictedUnpickler(pickle.Unpickler):
    """Unpickles a response that may contain only one package's classes, and no functions.

    So somebody who took over the sandbox could not call anything in this process.
    """

    def __init__(self, response: io.BytesIO, package: str) -> None:
        super().__init__(response)
        self.package = package

    def find_class(self, module: str, name: str) -> type:
        if self._is_in_package(module):
            found = super().find_class(module, name)
            # A dotted name could reach what a module of the package imports.
            if isinstance(found, type) and self._is_in_package(found.__module__):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is not in {self.package}")

    def _is_in_package(self, module: str) -> bool:
        return f"{module}.".startswith(f"{self.package}.")

    def response(self) -> tuple[str, Any]:
        kind, value = self.load()
        return str(kind), value


class _Slot:
    """A place for one process, which is started when it is needed."""

    process: _SandboxProcess | None = None

    def running(self) -> _SandboxProcess:
        """Return the process, a new one if there is none or it has ended."""
        if self.process is not None and self.process.process.poll() is not None:
            self.stop()
        if self.process is None:
            self.process = _SandboxProcess()
        return self.process

    def stop(self) -> None:
        process, self.process = self.process, None
        if process is not None:
            process.kill()


class _Pool:
    """The slots. A call has one to itself, and waits if all are taken."""

    def __init__(self) -> None:
        self.limit = 1
        self.slots: list[_Slot] = []
        self._free: list[_Slot] = []
        self._changed = threading.Condition()

    @contextmanager
    def slot(self) -> Iterator[_Slot]:
        with self._changed:
            while not self._free and len(self.slots) >= self.limit:
                self._changed.wait()
            if not self._free:
                self._free.append(_Slot())
                self.slots += self._free
            taken = self._free.pop()
        try:
            yield taken
        finally:
            with self._changed:
                self._free.append(taken)
                self._drop_surplus()
                self._changed.notify()

    def raise_limit(self, by: int) -> None:
        """Allow so many slots more, or fewer if it is negative."""
        with self._changed:
            self.limit += by
            self._drop_surplus()
            self._changed.notify_all()

    def _drop_surplus(self) -> None:
        while self._free and len(self.slots) > self.limit:
            surplus = self._free.pop()
            self.slots.remove(surplus)
            surplus.stop()


_pool = _Pool()


@contextmanager
def parallel(processes: int) -> Iterator[None]:
    """Let calls from several threads use up to so many processes at once inside the block.

    Each process needs the memory of one call more: a picture may take some 400 MB.
    """
    pool = _pool
    pool.raise_limit(processes - 1)
    try:
        yield
    finally:
        pool.raise_limit(1 - processes)


def stop() -> None:
    """Stop the processes that are running; the next call starts another."""
    for slot in list(_pool.slots):
        slot.stop()


def _reset_after_fork() -> None:
    """Forget the sandbox processes after a fork: they belong to the parent."""
    global _pool
    forgotten, _pool = _pool, _Pool()
    for slot in forgotten.slots:
        if slot.process is not None:
            slot.process.connection.close()


os.register_at_fork(after_in_child=_reset_after_fork)
atexit.register(stop)


# --- In the sandbox process ----------------------------------------------------------------------
def main() -> NoReturn:
    """Handle requests until the parent is gone or a minute passes without one."""
    connection = Connection(int(sys.argv[1]))
    # Like django.setup(), but without the applications.
    configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)
    apps.populate(())
    try:
        while connection.poll(IDLE_SECONDS):
            connection.send_bytes(_handle_request(connection.recv_bytes()))
    except (EOFError, OSError):
        pass  # the parent is gone
    sys.exit()


def _handle_request(request: bytes) -> bytes:
    # It comes from the process that started this one.
    language, function, args, kwargs = pickle.loads(request)  # noqa: S301
    try:
        with override(language):
            return pickle.dumps(("returned", function(*args, **kwargs)))
    except Exception as error:  # noqa: BLE001 - reported to the caller
        if type(error).__module__.startswith(f"{package_of(function)}."):
            return pickle.dumps(("raised", error))
        return pickle.dumps(("failed", traceback.format_exc()))


if __name__ == "__main__":
    main()
