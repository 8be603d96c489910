"""A site as its operator runs it: started with `manage.py up` and managed with commands."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from newsletter.local.mailbox import Mailbox, parse
from newsletter.local.processes import PARENT_DEATH_SCRIPT
from tests.chaos.servers import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 180
END_SECONDS = 60


def eventually(
    condition: Callable[[], Any], *, seconds: float, what: str, every: float = 0.25
) -> Any:
    """Return the result of `condition` once it is true; fail with `what` after `seconds`."""
    until = time.monotonic() + seconds
    while True:
        if value := condition():
            return value
        if time.monotonic() > until:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(every)


class Site:
    """One site in `folder`; `environment` adds to the few variables that a process needs."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.var = folder / "var"
        self.temporary = folder / "tmp"
        self.temporary.mkdir(exist_ok=True)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        inherited = {
            name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ
        }
        self.environment = {
            **inherited,
            "VAR_DIR": str(self.var),
            "PORT": str(port),
            "MAILBOX_PORT": str(free_port()),
            "TMPDIR": str(self.temporary),
            **environment,
        }
        self.output = folder / "up.txt"
        self._process: subprocess.Popen[bytes] | None = None

    # --- Commands -----------------------------------------------------------------------------
    def run(
        self, *arguments: str, status: int | tuple[int, ...] = 0, stdin: bytes | None = None
    ) -> str:
        """Run `manage.py` with these arguments and return its output; check the exit status."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            input=stdin,
            capture_output=True,
            timeout=300,
            check=False,
        )
        output = done.stdout.decode()
        allowed = (status,) if isinstance(status, int) else status
        assert done.returncode in allowed, (
            f"{arguments}: {done.returncode}\n{output}{done.stderr.decode()}"
        )
        return output

    def shell(self, code: str) -> str:
        """Run code in `manage.py shell` and return what it prints."""
        return self.run("shell", "--no-imports", "-c", code).strip()

    def import_document(self, document: dict[str, Any]) -> None:
        """Import a newsletter's document."""
        path = self.folder / f"{document['newsletter']['slug']}.json"
        path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
        self.run("import_issues", str(path))

    def add_reader(self, address: str, newsletter: str, languages: str) -> None:
        self.run("add_reader", address, "--newsletter", newsletter, "--languages", languages)

    def add_readers(self, newsletter: str, pattern: str, count: int) -> None:
        """Add many readers of English; `pattern` is an address with a placeholder for a number."""
        self.shell(
            "from newsletter.editorial.models import Newsletter\n"
            "from subscribers.lifecycle import add_confirmed\n"
            f"newsletter = Newsletter.objects.get(slug={newsletter!r})\n"
            f"for n in range({count}):\n"
            f"    add_confirmed({pattern!r}.format(n), newsletter=newsletter, languages=['en'],"
            " page_language='en', source='operator')\n"
        )

    def audit(self, title: str = "") -> list[dict[str, Any]]:
        """Return the audit of each mailing with this in its title; every mailing must balance."""
        found: list[dict[str, Any]] = json.loads(
            # 1: another test may have left a mailing that failed.
            self.run("audit", "--json", status=(0, 1))
        )
        return [finding for finding in found if title in finding["title"]]

    # --- Start and stop -----------------------------------------------------------------------
    def prepare(self) -> None:
        """Prepare an empty newsroom, as `make run` and then `make begin` do."""
        self.run("keys", "new", "--no-recovery")
        self.run("prepare")
        self.run(
            "begin",
            "--name",
            "Weekly",
            "--languages",
            "en,be,ru",
            "--address",
            "desk@news.example.org",
            "--time-zone",
            "Europe/Minsk",
        )

    def start(self) -> None:
        """Start `manage.py up` and wait until it is ready."""
        with self.output.open("wb") as output:
            self._process = subprocess.Popen(
                # The script stops it with this process, even if the tests are killed.
                [
                    sys.executable,
                    str(PARENT_DEATH_SCRIPT),
                    str(os.getpid()),
                    sys.executable,
                    "manage.py",
                    "up",
                ],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        eventually(self._is_ready, seconds=START_SECONDS, what="the site is up")

    def _is_ready(self) -> bool:
        assert self._process is not None
        output = self.output.read_text(encoding="utf-8", errors="replace")
        assert self._process.poll() is None, f"`manage.py up` ended:\n{output}"
        return "Press Ctrl-C to stop everything" in output

    def stop(self) -> None:
        """Send SIGTERM, as a machine does that shuts down, and check that no process is left."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            status = self._process.wait(END_SECONDS)
        finally:
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
            self._process = None
        assert status == 0, self.output.read_text(encoding="utf-8", errors="replace")
        assert not (left := self.processes()), f"left behind: {left}"

    def processes(self) -> dict[int, str]:
        """Return the command of every process with this site's environment, by process ID."""
        variable = f"VAR_DIR={self.var}".encode()
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if variable in (folder / "environ").read_bytes().split(b"\0"):
                    command = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
                    if command:  # a zombie has none
                        found[int(folder.name)] = command.decode(errors="replace").strip()
            except OSError:
                continue  # it has just ended, or isn't readable
        return found

    # --- Emails -------------------------------------------------------------------------------
    @property
    def password(self) -> str:
        """The generated password of the account “editor”."""
        return (self.var / "run" / "admin-password").read_text(encoding="utf-8").strip()

    def emails(self, recipient: str, subject: str = "") -> list[EmailMessage]:
        """Return the emails to a recipient in the local mailbox, oldest first."""
        box = Mailbox(self.var / "mailbox")
        entries = [
            entry
            for entry in box.entries(recipient)
            if recipient in entry.to and subject in entry.subject
        ]
        return [parse(box.source(entry.name) or b"") for entry in reversed(entries)]

    def email(self, recipient: str, subject: str, *, seconds: float = 40) -> EmailMessage:
        """Wait for the one email to a recipient with this in its subject, and return it."""
        found = eventually(
            lambda: self.emails(recipient, subject),
            seconds=seconds,
            what=f"an email to {recipient}: {subject}",
        )
        assert len(found) == 1
        return found[0]  # type: ignore[no-any-return]
