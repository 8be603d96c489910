"""Make the smaller copies of all pictures that have none yet."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from newsletter.editorial.missing_copies import make_missing
from newsletter.editorial.models import Picture


class Command(BaseCommand):
    help = "Make the copies for emails and pages of all pictures that have none yet."

    def handle(self, *args: Any, **options: Any) -> None:
        made = make_missing(seconds=float("inf"))
        self.stdout.write(f"Pictures that got copies: {made}.")
        if left := Picture.objects.filter(copies={}).count():
            raise CommandError(
                f"Pictures without copies: {left}. The log says why. Is their file missing?"
            )
