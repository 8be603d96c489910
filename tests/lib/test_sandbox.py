"""Pure functions in a process of their own: what comes back, and what an end of it leaves."""

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

pytestmark = [pytest.mark.apart, pytest.mark.slow]

WORDS = {
    "language": "be",
    "subject": "Пацвердзіце падпіску",
    "heading": "Адзін крок",
    "paragraphs": ["Вы папрасілі нашы лісты: https://news.example.org/"],
    "button": ("Пацвердзіць", "https://news.example.org/confirm/"),
    "foot": ["Калі гэта былі не вы, нічога не рабіце."],
}


@pytest.fixture(autouse=True)
def none_left() -> Iterator[None]:
    yield
    sandbox.stop()


def running() -> int:
    helper = sandbox._current
    assert helper is not None
    return helper.process.pid


def test_a_mail_is_the_same_as_in_this_process() -> None:
    assert render_service.render_transactional(NEWSLETTER, **WORDS) == render_transactional(
        NEWSLETTER, **WORDS
    )  # type: ignore[arg-type]


def test_one_process_serves_many_calls_and_threads() -> None:
    sandbox.run(month_name, date(2017, 7, 1), "be")
    first, found = running(), []
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
    assert running() == first


def test_an_error_of_the_package_is_raised_here_in_the_callers_language() -> None:
    with translation.override("ru"), pytest.raises(RenderError) as there:
        sandbox.run(checked_subject, "line\nfeed")
    with translation.override("ru"), pytest.raises(RenderError) as here:
        checked_subject("line\nfeed")
    assert str(there.value) == str(here.value)
    assert sandbox.run(checked_subject, "and on") == "and on"


def test_any_other_error_tells_where_it_broke() -> None:
    with pytest.raises(sandbox.SandboxError, match=r"dates\.py.*TypeError|AttributeError"):
        sandbox.run(week_range, None, None, "en", today=None)  # type: ignore[arg-type]


def test_a_process_that_was_killed_is_replaced() -> None:
    sandbox.run(checked_subject, "a")
    first = running()
    os.kill(first, signal.SIGKILL)
    time.sleep(0.2)
    assert sandbox.run(checked_subject, "b") == "b"
    assert running() != first


def test_one_that_dies_in_the_call_is_tried_once_more_and_then_told() -> None:
    with pytest.raises(sandbox.SandboxEndedError, match="die"):
        sandbox.run(in_sandbox.die)
    assert sandbox._current is None
    assert sandbox.run(checked_subject, "goes on") == "goes on"


def test_one_that_does_not_answer_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox.run(checked_subject, "a")
    monkeypatch.setattr(sandbox, "TIMEOUT_SECONDS", 0.3)
    helper = sandbox._current
    assert helper is not None
    with pytest.raises(sandbox.SandboxEndedError, match="TimeoutError"):
        sandbox.run(in_sandbox.sleep_long)
    assert helper.process.returncode == -signal.SIGKILL


def test_it_has_no_application_and_no_key_of_the_worker(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    key_files.write_new(tmp_path / "keys", recovery=None)
    monkeypatch.setenv("VAR_DIR", str(tmp_path))
    monkeypatch.setenv("WORKER_KEYS_PASSPHRASE", "a secret")
    applications, models, keys, named = sandbox.run(in_sandbox.what_is_here)
    assert (applications, models, keys, named) == (0, False, False, {"WORKER_KEYS": ""})


def test_after_a_fork_each_has_its_own_which_ends_with_its_caller() -> None:
    sandbox.run(checked_subject, "a")
    mine = running()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        try:
            sandbox.run(checked_subject, "b")
            os.write(write, str(running()).encode())
            os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(1)
    os.close(write)
    os.waitpid(child, 0)
    theirs = int(os.read(read, 20))
    os.close(read)
    assert theirs != mine
    assert running() == mine
    assert sandbox.run(checked_subject, "c") == "c"
    # Its caller was killed, so it ends.
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


def naming(module: str, name: str) -> bytes:
    """A pickle that asks for something by its name."""
    texts = b"".join(b"\x8c%c%b" % (len(text), text.encode()) for text in (module, name))
    return b"\x80\x04" + texts + b"\x93."


@pytest.mark.parametrize(
    "made",
    [
        b"cos\nsystem\n(S'true'\ntR.",
        pickle.dumps(os.getcwd),
        naming("newsletter.digest.render_service", "Callable"),
        naming("newsletter.digest.render_service", "sandbox.subprocess.Popen"),
        naming("newsletter.digestive", "Anything"),
    ],
)
def test_what_comes_back_can_call_nothing_here(made: bytes) -> None:
    with pytest.raises(pickle.UnpicklingError, match=r"is not of newsletter\.digest"):
        sandbox._RestrictedUnpickler(io.BytesIO(made), "newsletter.digest").answer()


def test_nor_a_function_of_its_own_package() -> None:
    with pytest.raises(pickle.UnpicklingError):
        sandbox._RestrictedUnpickler(
            io.BytesIO(pickle.dumps(checked_subject)), "newsletter.digest"
        ).answer()
