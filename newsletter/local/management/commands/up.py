"""`manage.py up`: run the whole site on this machine until Ctrl-C."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from newsletter import checks
from newsletter.local import first_run, programs
from newsletter.local.console import Console
from newsletter.local.supervisor import StartError, Supervisor


class Command(BaseCommand):
    help = "Runs broker, mailbox, web server, worker and beat until Ctrl-C."

    def handle(self, *args: Any, **options: Any) -> None:
        checks.require_configuration()
        try:
            self._run()
        except OSError as error:
            raise CommandError(
                f"{error.filename}: {error.strerror}. VAR_DIR and everything in it must belong to "
                "the user who runs the site."
            ) from None

    def _run(self) -> None:
        console = Console(sys.stdout, settings.VAR_DIR / "log")
        run = settings.VAR_DIR / "run"
        try:
            supervisor = Supervisor(
                programs.required_programs(), console, directory=settings.BASE_DIR, records_dir=run
            )
            supervisor.run(programs.listening_ports(), ready=lambda: self._greet(console))
        except StartError as error:
            raise CommandError(str(error)) from None
        finally:
            console.close()

    def _greet(self, console: Console) -> None:
        console.plain(first_run.welcome())
        pending = first_run.pending_sample_issue()
        if pending is None:
            return
        newsletter, week = pending
        console.report(f"sending the sample issue of the week from {week}")
        command = [sys.executable, "manage.py", "send_issue", newsletter, week]
        done = subprocess.run(  # noqa: S603
            command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False
        )
        for line in (done.stdout + done.stderr).splitlines():
            console.report(line)
        if done.returncode == 0:
            first_run.clear_sample_issue()
