"""`manage.py sample load|remove`: load or remove the sample newsroom."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from newsletter.local import first_run
from newsletter.local.sample import loading, removal


class Command(BaseCommand):
    help = "Loads or removes the sample newsroom."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="action", required=True)
        commands.add_parser("load", help="load it into a database without a newsroom")
        remove = commands.add_parser("remove", help="remove it with its readers and mailings")
        remove.add_argument("--yes", action="store_true", help="don't ask for confirmation")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "load":
            self._load()
        elif options["yes"] or self._confirmed():
            self._remove()
        else:
            raise CommandError("Nothing was removed.")

    def _load(self) -> None:
        if settings.WORKER_KEYS is None:
            raise CommandError(
                "Adding the sample's readers needs the worker's keys: set WORKER_KEYS_FILE."
            )
        try:
            loading.load()
        except loading.NewsroomExistsError:
            raise CommandError("A newsroom exists already. Nothing was changed.") from None
        first_run.schedule_sample_issue(*loading.latest_issue())
        self.stdout.write("Loaded the sample newsroom.")

    def _confirmed(self) -> bool:
        question = "Remove the sample newsroom, its articles, readers and mailings? [y/N] "
        try:
            return input(question).strip().lower() in {"y", "yes"}
        except EOFError:
            return False

    def _remove(self) -> None:
        try:
            removal.remove()
        except removal.NoSampleError:
            raise CommandError("The database has no sample newsroom.") from None
        first_run.clear_sample_issue()
        self.stdout.write("Removed the sample newsroom.")
