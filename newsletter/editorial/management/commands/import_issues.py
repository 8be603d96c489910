"""manage.py import_issues FILE"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from newsletter.editorial.importing import DocumentError, ImportReport, import_document


class Command(BaseCommand):
    help = "Import a newsletter's issues from a JSON file. Running it twice changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            report = import_document(_read(path), base=path.parent)
        except DocumentError as fault:
            raise CommandError(
                _("%(file)s: %(fault)s\nNothing was imported.") % {"file": path, "fault": fault}
            ) from None
        for line in _lines(report):
            self.stdout.write(line)


def _read(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DocumentError("", error.strerror or _("cannot be read.")) from None
    except UnicodeDecodeError:
        raise DocumentError("", _("is not a text in UTF-8.")) from None
    except json.JSONDecodeError as error:
        place = _("line %(line)s, column %(column)s") % {
            "line": error.lineno,
            "column": error.colno,
        }
        raise DocumentError(place, error.msg) from None


def _lines(report: ImportReport) -> list[str]:
    if report.is_empty and not report.notes:
        return [_("Nothing to change: all of it is there already.")]
    counts = [
        *(
            _("added: %(name)s × %(count)s") % {"name": name, "count": count}
            for name, count in report.created.items()
        ),
        *(
            _("changed: %(name)s × %(count)s") % {"name": name, "count": count}
            for name, count in report.changed.items()
        ),
    ]
    return [*counts, *report.notes]
