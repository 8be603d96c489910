"""`manage.py prepare`: create whatever `manage.py up` needs and that doesn't exist yet."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from newsletter.editorial.models import Newsroom
from newsletter.local import first_run


class Command(BaseCommand):
    help = (
        "Migrates the database, collects static files and creates a first account. If email stays "
        "on this machine, also loads the sample newsroom into an empty database."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        try:
            call_command("collectstatic", interactive=False, verbosity=0)
            first_run.create_editor()
        except PermissionError as error:
            raise CommandError(
                f"{error.filename}: {error.strerror}. VAR_DIR and everything in it must belong "
                "to the user who runs the site."
            ) from None
        # A real transport would really send to the sample's readers.
        if settings.USES_LOCAL_MAILBOX and not Newsroom.objects.exists():
            call_command("sample", "load", stdout=self.stdout)
