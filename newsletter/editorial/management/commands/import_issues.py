"""manage.py import_issues FILE: import issues from JSON."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from newsletter.editorial.importing import DocumentError, ImportReport, import_file


class Command(BaseCommand):
    help = "Import a newsletter's issues from a JSON file. Running it twice changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            report = import_file(path)
        except DocumentError as error:
            raise CommandError(
                _("Nothing was imported from %(file)s. Correct it and try again:\n%(error)s")
                % {"file": path, "error": error}
            ) from None
        for line in _lines(report):
            self.stdout.write(line)


def _lines(report: ImportReport) -> list[str]:
    dropped = [_("not kept: %(what)s") % {"what": loss} for loss in report.losses]
    if report.is_empty and not report.notes:
        return [_("Nothing to change: everything has already been imported."), *dropped]
    added, changed = _("added: %(name)s × %(count)s"), _("changed: %(name)s × %(count)s")
    return [
        *(added % {"name": name, "count": count} for name, count in report.created.items()),
        *(changed % {"name": name, "count": count} for name, count in report.changed.items()),
        *report.notes,
        *dropped,
    ]
