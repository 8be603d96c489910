"""A site as its operator has it: started by `manage.py up`, worked with by commands."""

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


def eventually(fact: Callable[[], Any], *, seconds: float, what: str, every: float = 0.25) -> Any:
    """What `fact` answers as soon as it is true; fails with `what` after so many seconds."""
    until = time.monotonic() + seconds
    while True:
        if answer := fact():
            return answer
        if time.monotonic() > until:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(every)


class Site:
    """One site in `folder`. `environment` adds to the little that a process needs."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.var = folder / "var"
        self.temporary = folder / "tmp"
        self.temporary.mkdir(exist_ok=True)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self.environment = {
            **kept,
            "VAR_DIR": str(self.var),
            "PORT": str(port),
            "MAILBOX_PORT": str(free_port()),
            "TMPDIR": str(self.temporary),
            **environment,
        }
        self.said = folder / "up.txt"
        self._process: subprocess.Popen[bytes] | None = None

    # --- As at a terminal ---------------------------------------------------------------------
    def run(self, *words: str, status: int = 0) -> str:
        """What `manage.py` with these words prints; it must end with `status`."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == status, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def shell(self, code: str) -> str:
        """What a `manage.py shell` prints of this code."""
        return self.run("shell", "--no-imports", "-c", code).strip()

    def bring_in(self, document: dict[str, Any]) -> None:
        """Import a newsletter's document."""
        path = self.folder / f"{document['newsletter']['slug']}.json"
        path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
        self.run("import_issues", str(path))

    def add_reader(self, address: str, newsletter: str, languages: str) -> None:
        self.run("add_reader", address, "--newsletter", newsletter, "--languages", languages)

    def add_readers(self, newsletter: str, pattern: str, count: int) -> None:
        """Many readers of English at once: `pattern` makes an address of a number."""
        self.shell(
            "from newsletter.editorial.models import Newsletter\n"
            "from subscribers.lifecycle import add_confirmed\n"
            f"letter = Newsletter.objects.get(slug={newsletter!r})\n"
            f"for n in range({count}):\n"
            f"    add_confirmed({pattern!r}.format(n), newsletter=letter, languages=['en'],"
            " page_language='en', source='operator')\n"
        )

    def audit(self, title: str = "") -> list[dict[str, Any]]:
        """The account of each send-out whose title holds `title`; every one must balance."""
        found: list[dict[str, Any]] = json.loads(self.run("audit", "--json"))
        return [finding for finding in found if title in finding["title"]]

    # --- Beginning and end --------------------------------------------------------------------
    def prepare(self) -> None:
        """As `make run` and then `make begin` prepare it: a newsroom of one's own, empty."""
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
        """`manage.py up`, until it greets."""
        with self.said.open("wb") as output:
            self._process = subprocess.Popen(
                # It ends with this process, even where the tests are killed.
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
        eventually(self._greets, seconds=START_SECONDS, what="the site is up")

    def _greets(self) -> bool:
        assert self._process is not None
        said = self.said.read_text(encoding="utf-8", errors="replace")
        assert self._process.poll() is None, f"`manage.py up` ended:\n{said}"
        return "Ctrl-C ends everything" in said

    def stop(self) -> None:
        """SIGTERM, as a machine that shuts down sends it; nothing of it may stay."""
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
        assert status == 0, self.said.read_text(encoding="utf-8", errors="replace")
        assert not (left := self.processes()), f"left behind: {left}"

    def processes(self) -> dict[int, str]:
        """Every process that was started with this site's environment -> its command."""
        mine = f"VAR_DIR={self.var}".encode()
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if mine in (folder / "environ").read_bytes().split(b"\0"):
                    command = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
                    if command:  # one that ended and is not waited for yet has none
                        found[int(folder.name)] = command.decode(errors="replace").strip()
            except OSError:
                continue  # it ended meanwhile, or is not ours to look at
        return found

    # --- What it knows and sent ---------------------------------------------------------------
    @property
    def password(self) -> str:
        """The generated one, of the account "editor"."""
        return (self.var / "run" / "admin-password").read_text(encoding="utf-8").strip()

    def mails(self, recipient: str, holding: str = "") -> list[EmailMessage]:
        """The mails in the local mailbox to a recipient, the oldest first."""
        box = Mailbox(self.var / "mailbox")
        entries = [
            entry
            for entry in box.entries(recipient)
            if recipient in entry.to and holding in entry.subject
        ]
        return [parse(box.source(entry.name) or b"") for entry in reversed(entries)]

    def mail(self, recipient: str, holding: str, *, seconds: float = 40) -> EmailMessage:
        """The one mail to a recipient whose subject holds these words, once it is there."""
        found = eventually(
            lambda: self.mails(recipient, holding),
            seconds=seconds,
            what=f"a mail to {recipient}: {holding}",
        )
        assert len(found) == 1
        return found[0]  # type: ignore[no-any-return]
