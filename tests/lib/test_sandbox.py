"""Functions in the sandbox process: their results and errors, and what happens when it ends."""

from __future__ import annotations

import io
import os
import pickle
import signal
import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from newsletter.digest import render_service
from newsletter.digest.content import RenderError
from newsletter.digest.dates import month_name, week_range
from newsletter.digest.render import checked_subject
from newsletter.digest.transactional import render_transactional
from newsletter.lib import sandbox
from newsletter.local import key_files
from tests.digest.cast import NEWSLETTER
from tests.lib import in_sandbox

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]

EMAIL: dict[str, Any] = {
    "language": "be",
    "subject": "Пацвердзіце падпіску",
    "heading": "Адзін крок",
    "paragraphs": ["Вы папрасілі нашы лісты: https://news.example.org/"],
    "button": ("Пацвердзіць", "https://news.example.org/confirm/"),
    "foot": ["Калі гэта былі не вы, нічога не рабіце."],
}


@pytest.fixture(autouse=True)
def stop_sandbox() -> Iterator[None]:
    yield
    sandbox.stop()


def sandbox_pid() -> int:
    process = sandbox._pool.slots[0].process
    assert process is not None
    return process.process.pid


def test_an_email_is_the_same_as_in_this_process() -> None:
    assert render_service.render_transactional(NEWSLETTER, **EMAIL) == render_transactional(
        NEWSLETTER, **EMAIL
    )


def test_one_process_serves_many_calls_and_threads() -> None:
    sandbox.run(month_name, date(2017, 7, 1), "be")
    first, found = sandbox_pid(), []
    threads = [
        threading.Thread(
            target=lambda n=n: found.append((n, sandbox.run(month_name, date(2017, n, 1), "en")))
        )
        for n in range(1, 9)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all(name == month_name(date(2017, n, 1), "en") for n, name in found)
    assert sandbox_pid() == first


def test_several_processes_run_at_once_only_inside_parallel() -> None:
    def together(calls: int) -> list[int]:
        found: list[int] = []
        threads = [
            threading.Thread(target=lambda: found.append(sandbox.run(in_sandbox.nap)))
            for _ in range(calls)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return found

    with sandbox.parallel(2):
        found = together(6)
        assert len(found) == 6
        assert len(set(found)) == 2
    [left] = sandbox._pool.slots
    assert left.process is not None
    _wait_until_gone(*(set(found) - {left.process.process.pid}))
    assert set(together(2)) == {left.process.process.pid}


def test_a_crash_in_one_process_leaves_the_other_alone() -> None:
    ended: list[BaseException] = []

    def crash() -> None:
        try:
            sandbox.run(in_sandbox.die)
        except sandbox.SandboxEndedError as error:
            ended.append(error)

    with sandbox.parallel(2):
        thread = threading.Thread(target=crash)
        thread.start()
        pids = [sandbox.run(in_sandbox.nap) for _ in range(4)]
        thread.join()
    assert len(ended) == 1
    assert pids[0] == pids[1]


def test_an_error_of_the_package_is_raised_in_the_callers_language() -> None:
    with translation.override("ru"), pytest.raises(RenderError) as there:
        sandbox.run(checked_subject, "line\nfeed")
    with translation.override("ru"), pytest.raises(RenderError) as here:
        checked_subject("line\nfeed")
    assert str(there.value) == str(here.value)
    assert sandbox.run(checked_subject, "and on") == "and on"


def test_any_other_error_contains_the_traceback() -> None:
    with pytest.raises(sandbox.SandboxError, match=r"dates\.py.*TypeError|AttributeError"):
        sandbox.run(week_range, None, None, "en", today=None)  # type: ignore[arg-type]


def test_a_killed_process_is_replaced() -> None:
    sandbox.run(checked_subject, "a")
    first = sandbox_pid()
    os.kill(first, signal.SIGKILL)
    time.sleep(0.2)
    assert sandbox.run(checked_subject, "b") == "b"
    assert sandbox_pid() != first


def test_a_call_that_kills_the_process_is_tried_twice() -> None:
    with pytest.raises(sandbox.SandboxEndedError, match="die"):
        sandbox.run(in_sandbox.die)
    assert sandbox._pool.slots[0].process is None
    assert sandbox.run(checked_subject, "goes on") == "goes on"


def test_a_process_that_does_not_respond_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox.run(checked_subject, "a")
    monkeypatch.setattr(sandbox, "TIMEOUT_SECONDS", 0.3)
    process = sandbox._pool.slots[0].process
    assert process is not None
    with pytest.raises(sandbox.SandboxEndedError, match="TimeoutError"):
        sandbox.run(in_sandbox.sleep_long)
    assert process.process.returncode == -signal.SIGKILL


def test_the_process_has_no_applications_and_no_worker_keys(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    key_files.write_new(tmp_path / "keys", recovery=None)
    monkeypatch.setenv("VAR_DIR", str(tmp_path))
    monkeypatch.setenv("WORKER_KEYS_PASSPHRASE", "a secret")
    applications, models, keys, variables = sandbox.run(in_sandbox.what_is_here)
    assert (applications, models, keys, variables) == (0, False, False, {"WORKER_KEYS": ""})


def test_after_a_fork_each_parent_has_a_process_that_ends_with_it() -> None:
    sandbox.run(checked_subject, "a")
    mine = sandbox_pid()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        try:
            sandbox.run(checked_subject, "b")
            os.write(write, str(sandbox_pid()).encode())
            os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(1)
    os.close(write)
    os.waitpid(child, 0)
    theirs = int(os.read(read, 20))
    os.close(read)
    assert theirs != mine
    assert sandbox_pid() == mine
    assert sandbox.run(checked_subject, "c") == "c"
    # Its parent was killed, so it ends.
    _wait_until_gone(theirs)


def _wait_until_gone(pid: int) -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            with open(f"/proc/{pid}/stat") as stat:
                if stat.read().rpartition(")")[2].split()[0] == "Z":
                    return
        except FileNotFoundError:
            return
        time.sleep(0.05)
    raise AssertionError(f"process {pid} is still there")


def pickle_of_name(module: str, name: str) -> bytes:
    """Return a pickle that looks up a name in a module."""
    texts = b"".join(b"\x8c%c%b" % (len(text), text.encode()) for text in (module, name))
    return b"\x80\x04" + texts + b"\x93."


@pytest.mark.parametrize(
    "response",
    [
        b"cos\nsystem\n(S'true'\ntR.",
        pickle.dumps(os.getcwd),
        pickle_of_name("newsletter.digest.render_service", "Callable"),
        pickle_of_name("newsletter.digest.render_service", "sandbox.subprocess.Popen"),
        pickle_of_name("newsletter.digestive", "Anything"),
    ],
)
def test_a_response_cannot_call_anything(response: bytes) -> None:
    with pytest.raises(pickle.UnpicklingError, match=r"is not in newsletter\.digest"):
        sandbox._RestrictedUnpickler(io.BytesIO(response), "newsletter.digest").response()


def test_a_response_cannot_contain_a_function_of_the_package() -> None:
    with pytest.raises(pickle.UnpicklingError):
        sandbox._RestrictedUnpickler(
            io.BytesIO(pickle.dumps(checked_subject)), "newsletter.digest"
        ).response()
