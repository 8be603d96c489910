"""Pure functions called in a process of their own, which ends when it is no longer needed.

Laying out mails takes 30 MB of libraries, and native code that reads what editors pasted. A worker
that does it elsewhere stays small for as long as it lives, keeps the readers' keys out of that
code's reach, and outlives its crash.

The other process has settings, templates and catalogues, and no application: no model, database
or worker's key. It is started at the first call, and again where it has ended; it ends by itself
after a minute without a call, and with its caller, however that ends, since the line between the
two is then closed.
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
from collections.abc import Callable
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
"""For one call; afterwards the process is killed."""
IDLE_SECONDS = 60.0
MAX_ATTEMPTS = 2
"""A process may have ended since the last call; a pure function can be called again."""


class SandboxEndedError(Exception):
    """The process ended during the call, each time, or did not answer in time."""


class SandboxError(Exception):
    """The function raised what it does not declare; the text is the other process's traceback."""


def run(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """`function(*args, **kwargs)`, for a pure function at the top of a module.

    It finds the caller's language active. It may return and raise what its own package defines,
    besides plain values. Raises Ended, and Broke for what is no error of its package.
    """
    question = pickle.dumps((get_language(), function, args, kwargs))
    with _lock:
        for left in reversed(range(MAX_ATTEMPTS)):
            try:
                kind, value = _process().ask(question, package_of(function))
                break
            except (EOFError, OSError) as error:
                stop()
                # A pure function that takes too long would do so again.
                if not left or isinstance(error, TimeoutError):
                    raise SandboxEndedError(
                        f"{function.__name__}: {type(error).__name__}"
                    ) from None
            except BaseException:
                # An answer that is still to come would be taken for the next call's.
                stop()
                raise
    if kind == "returned":
        result: R = value
        return result
    if kind == "raised":
        raise value
    raise SandboxError(value)


def package_of(function: Callable[..., object]) -> str:
    return function.__module__.rpartition(".")[0]


class _SandboxProcess:
    """The other process, and our end of the line to it."""

    def __init__(self) -> None:
        self.line, theirs = Pipe()
        path = os.pathsep.join([str(settings.BASE_DIR), *filter(None, [os.getenv("PYTHONPATH")])])
        try:
            self.process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", __name__, str(theirs.fileno())],
                env={**without_worker_keys(os.environ), "PYTHONPATH": path},
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                # What is told to end with us ends our work first.
                start_new_session=True,
            )
        finally:
            theirs.close()

    def ask(self, question: bytes, package: str) -> tuple[str, Any]:
        """The answer's kind and value. Raises EOFError, OSError or TimeoutError, which is one."""
        self.line.send_bytes(question)
        if not self.line.poll(TIMEOUT_SECONDS):
            raise TimeoutError
        return _RestrictedUnpickler(io.BytesIO(self.line.recv_bytes()), package).answer()

    def end(self) -> None:
        self.line.close()
        self.process.kill()
        self.process.wait()


class _RestrictedUnpickler(pickle.Unpickler):
    """Reads what the other process answers: of one package's classes, and none of its functions,
    so that who took that process over cannot call anything here."""

    def __init__(self, answer: io.BytesIO, package: str) -> None:
        super().__init__(answer)
        self.package = package

    def find_class(self, module: str, name: str) -> type:
        if self._is_ours(module):
            found = super().find_class(module, name)
            # Not what a module of ours imports, which a name with dots would reach.
            if isinstance(found, type) and self._is_ours(found.__module__):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is not of {self.package}")

    def _is_ours(self, module: str) -> bool:
        return f"{module}.".startswith(f"{self.package}.")

    def answer(self) -> tuple[str, Any]:
        kind, value = self.load()
        return str(kind), value


_lock = threading.Lock()
_current: _SandboxProcess | None = None


def _process() -> _SandboxProcess:
    global _current
    if _current is not None and _current.process.poll() is not None:
        stop()
    if _current is None:
        _current = _SandboxProcess()
    return _current


def stop() -> None:
    """End the process now, if there is one; the next call starts another."""
    global _current
    if _current is not None:
        _current.end()
        _current = None


def _reset_after_fork() -> None:
    """In a process that was forked: the helper is its parent's."""
    global _lock, _current
    _lock = threading.Lock()
    if _current is not None:
        _current.line.close()
        _current = None


os.register_at_fork(after_in_child=_reset_after_fork)
atexit.register(stop)


# --- In the other process ------------------------------------------------------------------------
def main() -> NoReturn:
    line = Connection(int(sys.argv[1]))
    # As django.setup() does, but for the applications.
    configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)
    apps.populate(())
    try:
        while line.poll(IDLE_SECONDS):
            line.send_bytes(_handle_request(line.recv_bytes()))
    except (EOFError, OSError):
        pass  # our caller is gone
    sys.exit()


def _handle_request(question: bytes) -> bytes:
    # From the process that started us.
    language, function, args, kwargs = pickle.loads(question)  # noqa: S301
    try:
        with override(language):
            return pickle.dumps(("returned", function(*args, **kwargs)))
    except Exception as error:  # noqa: BLE001 - told to the caller, whatever it is
        if type(error).__module__.startswith(f"{package_of(function)}."):
            return pickle.dumps(("raised", error))
        return pickle.dumps(("broke", traceback.format_exc()))


if __name__ == "__main__":
    main()
