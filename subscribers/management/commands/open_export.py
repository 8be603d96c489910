"""`manage.py open_export FILE --key KEYFILE`: reads an export, where the recipient's key is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from subscribers import exporting


class Command(BaseCommand):
    help = "Writes an export in clear to standard output. Needs the recipient's private key only."
    # It runs where the recipient is, who has neither database nor keys of the site.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--key", type=Path, required=True, help="from `keys recipient`")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            private = bytes.fromhex(options["key"].read_text(encoding="ascii").strip())
            with options["file"].open("rb") as file:
                for text in exporting.open_lines(file, private):
                    self.stdout.write(text, ending="")
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from None
        except exporting.ExportFault as error:
            raise CommandError(str(error)) from None
        except ValueError:
            raise CommandError(f"{options['key']}: not a key of `keys recipient`") from None
