"""`manage.py export_readers NEWSLETTER --to FILE`: addresses, sealed for one recipient."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from newsletter.delivery import panic
from newsletter.editorial.arguments import newsletter_named
from newsletter.editorial.models import Newsletter
from subscribers import export_requests, exporting
from subscribers.approvals import NotApproved
from subscribers.models import Export
from subscribers.sealing import SealedError, worker_keys


class Command(BaseCommand):
    help = (
        "Exports a newsletter's active readers (CSV), or the evidence of their consent (JSON "
        "Lines, without addresses), sealed for EXPORT_RECIPIENT. Needs the worker's keys, and "
        "where EXPORT_APPROVERS is set, for addresses, the approval of two of them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("newsletter", help="its short name")
        parser.add_argument("--to", required=True, metavar="FILE", help="a new file, or -")
        parser.add_argument("--request", metavar="ID", help="approved by two: see `exports`")
        parser.add_argument("--consents", action="store_true", help="evidence, not addresses (B8)")
        parser.add_argument(
            "--plain", action="store_true", help="in clear; only to a terminal: --to -"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        newsletter = newsletter_named(options["newsletter"])
        if options["plain"] and (options["to"] != "-" or not self.stdout.isatty()):
            raise CommandError("--plain writes to a terminal only: --to -")
        if not options["plain"] and not settings.EXPORT_RECIPIENT:
            raise CommandError("Set EXPORT_RECIPIENT: manage.py keys recipient FILE makes one.")
        try:
            panic.refuse_if_frozen()
            self._export(newsletter, options)
        except panic.Frozen as error:
            raise CommandError(str(error)) from None
        except NotApproved as error:
            raise CommandError(f"{error}.") from None
        except SealedError as error:
            raise CommandError(f"The list cannot be opened here: {error}.") from None
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from None

    def _export(self, newsletter: Newsletter, options: dict[str, Any]) -> None:
        if options["consents"]:
            self._write(exporting.consents(newsletter), options)
            return
        worker_keys()
        names: list[str] = []
        if not settings.EXPORT_APPROVERS:
            if options["request"]:
                raise NotApproved("--request is for EXPORT_APPROVERS, which is not set here")
            export = Export(newsletter=newsletter.slug)
        elif options["plain"]:
            raise NotApproved("What two people approve is sealed for EXPORT_RECIPIENT, not --plain")
        elif not options["request"]:
            raise NotApproved("Two people must approve it: manage.py exports ask, then --request")
        else:
            export, names = export_requests.permitted(options["request"], newsletter)
        self._write(_taken(export, names, exporting.readers(newsletter)), options)

    def _write(self, lines: Iterator[str], options: dict[str, Any]) -> None:
        if options["plain"]:
            for line in lines:
                self.stdout.write(line, ending="")
            return
        with _opened(options["to"]) as file:
            count = exporting.seal_lines(lines, settings.EXPORT_RECIPIENT, file)
        self.stderr.write(f"{count} lines, sealed. manage.py open_export FILE --key KEYFILE opens.")


def _taken(export: Export, names: list[str], lines: Iterator[str]) -> Iterator[str]:
    """The lines, a head first; with the first of them the export counts as made."""
    export_requests.take(export, names)
    readers = 0
    for readers, line in enumerate(lines):  # noqa: B007 - the last number is used
        yield line
    export_requests.count(export, readers)


@contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        yield sys.stdout.buffer
        return
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        yield file
