"""`manage.py compile_catalogs`: compile the translations of the interface."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from newsletter.lib.catalogs import compile_catalogs


class Command(BaseCommand):
    help = "Compiles the translations that have changed."
    requires_system_checks: list[str] = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        count = sum(compile_catalogs(Path(path)) for path in settings.LOCALE_PATHS)
        self.stdout.write(f"Catalogs compiled: {count}")
