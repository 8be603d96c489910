"""`manage.py freeze`: no sending, no export, nobody at the desk."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from newsletter.delivery.oversight import kill_switch

DONE = """\
Frozen: nothing is handed over, nothing is exported, nobody is signed in to the desk.
What was permitted before this moment may still leave: at most SEND_STEP mails of each worker.
`manage.py thaw`, where the worker's keys are, ends it.
"""
DROPPED = """\
Removed: {path}. Now stop the web server, whose memory still holds it.
`manage.py keys recover` puts it back from your recovery copy.
"""


class Command(BaseCommand):
    help = "Stops all sending and exporting, and ends every session of the staff."
    # In an emergency no check of the configuration stands in the way.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--drop-web-keys",
            action="store_true",
            help="also remove the web process's key file: links cannot be signed or read any more",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        kill_switch.engage()
        self.stdout.write(DONE, ending="")
        if options["drop_web_keys"]:
            self._drop_web_keys()

    def _drop_web_keys(self) -> None:
        path = settings.WEB_KEYS_PATH
        if path is None:
            raise CommandError("WEB_KEYS is not a file: remove it from the environment yourself.")
        try:
            path.unlink()
        except OSError as error:
            raise CommandError(f"Frozen, but {error.filename}: {error.strerror}.") from None
        self.stdout.write(DROPPED.format(path=path), ending="")
