"""`manage.py keys new [DIR]`: the project's two sets of keys, each in a file of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from newsletter.local import keyfiles

WHAT_FOR = """\
{web}
    for every process: it signs links and seals addresses that arrive (WEB_KEYS_FILE).
{worker}
    for workers and the operator only: it opens the list of readers (WORKER_KEYS_FILE).
    Without it nobody can read the list again: keep a copy away from this machine,
    and not with the backup of the database.
"""


class Command(BaseCommand):
    help = "Makes the keys of this installation; never overwrites any."
    # There are none yet, which is what newsletter.E001 reports.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="action", required=True)
        new = commands.add_parser("new", help="make web.json and worker.json")
        new.add_argument(
            "directory", nargs="?", type=Path, metavar="DIR", help="default: VAR_DIR/keys"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        directory: Path = options["directory"] or settings.KEYS_DIR
        try:
            web, worker = keyfiles.write_new(directory)
        except FileExistsError as error:
            raise CommandError(f"{error.filename} is there already; nothing was changed.") from None
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from None
        if options["verbosity"] > 0:
            self.stdout.write(WHAT_FOR.format(web=web, worker=worker), ending="")
