"""`manage.py export_readers NEWSLETTER --to FILE`: export a list of readers as an age file."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from newsletter.delivery.management.commands.audit import reader_count
from newsletter.delivery.oversight import kill_switch
from newsletter.editorial.arguments import newsletter_by_slug
from newsletter.editorial.models import Newsletter
from newsletter.lib import age
from subscribers.crypto.sealing import SealedError
from subscribers.lists import export
from subscribers.models import Export

NO_RECIPIENTS = (
    "Set EXPORT_RECIPIENTS to an age public key, or to two keys that are both needed to open a "
    "list. age-keygen creates a key; see “Lists of readers” in docs/operations.md."
)
ONE_KEY = """\
To open it:
    age --decrypt -i key.txt {file} > {name}
"""
TWO_KEYS = """\
To open it, the holder of {outer} first runs:
    age --decrypt -i key.txt {file} > inner.age
Then the holder of {inner} runs:
    age --decrypt -i key.txt inner.age > {name}
"""


class Command(BaseCommand):
    help = (
        "Export a newsletter's active readers (CSV), or the evidence of their consent (JSON Lines, "
        "without addresses), as an age file for EXPORT_RECIPIENTS. Needs the worker's keys."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("newsletter", help="the newsletter's slug")
        parser.add_argument(
            "--to", required=True, metavar="FILE", help="a new file, or - for standard output"
        )
        parser.add_argument(
            "--consents", action="store_true", help="export evidence of consent, not addresses (B8)"
        )
        parser.add_argument("--purpose", default="", help="a note to keep in the record of exports")
        parser.add_argument(
            "--plain", action="store_true", help="don't encrypt; only to a terminal, with --to -"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        newsletter = newsletter_by_slug(options["newsletter"])
        kind = Export.Kind.CONSENTS if options["consents"] else Export.Kind.READERS
        purpose = _valid_purpose(options["purpose"])
        if kill_switch.is_engaged():
            raise CommandError("The kill switch is on. `manage.py kill_switch off` turns it off.")
        try:
            if options["plain"]:
                self._show(newsletter, kind, purpose, options["to"])
            else:
                self._write(newsletter, kind, purpose, options["to"])
        except SealedError as error:
            raise CommandError(f"The list can't be opened here: {error}.") from None
        except OSError as error:
            raise CommandError(f"{error.filename or options['to']}: {error.strerror}") from None

    def _show(self, newsletter: Newsletter, kind: Export.Kind, purpose: str, to: str) -> None:
        if to != "-" or not self.stdout.isatty():
            raise CommandError("--plain only writes to a terminal: use --to -")
        if kind == Export.Kind.READERS and len(settings.EXPORT_RECIPIENTS) > 1:
            raise CommandError(
                "EXPORT_RECIPIENTS holds two keys, so that two people open a list together. "
                "--plain would show it to one person."
            )
        export.show(
            newsletter, kind, lambda line: self.stdout.write(line, ending=""), purpose=purpose
        )

    def _write(self, newsletter: Newsletter, kind: Export.Kind, purpose: str, to: str) -> None:
        recipients: list[str] = settings.EXPORT_RECIPIENTS
        if not recipients:
            raise CommandError(NO_RECIPIENTS)
        with _open_new(to) as file:
            record = export.write(newsletter, kind, file, purpose=purpose)
        # Not to standard output, which may be the file.
        self.stderr.write(
            f"{reader_count(record.readers or 0)}, encrypted for {' and '.join(recipients)}."
        )
        text = ONE_KEY if len(recipients) == 1 else TWO_KEYS
        name = "consents.jsonl" if kind == Export.Kind.CONSENTS else "readers.csv"
        instructions = text.format(
            inner=recipients[0], outer=recipients[-1], file="FILE" if to == "-" else to, name=name
        )
        self.stderr.write(instructions, ending="")


def _valid_purpose(purpose: str) -> str:
    purpose = purpose.strip()
    if len(purpose) > 200 or (purpose and not purpose.isprintable()):
        raise CommandError("The purpose must be one line of at most 200 characters.")
    if "@" in purpose:
        raise CommandError("The purpose is kept for good, so it must not contain an address.")
    return purpose


@contextmanager
def _open_new(name: str) -> Iterator[age.Writable]:
    """Open standard output, or a new file for its owner only, removed if writing fails."""
    if name == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        # Unbuffered, so that a disk error shows while the export is being written.
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            yield file
    except BaseException:
        os.unlink(name)
        raise
