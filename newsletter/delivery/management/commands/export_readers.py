"""`manage.py export_readers NEWSLETTER --to FILE`: a list of readers, as an age file."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from newsletter.delivery.oversight import kill_switch
from newsletter.editorial.arguments import newsletter_by_slug
from newsletter.editorial.models import Newsletter
from newsletter.lib import age
from subscribers.crypto.sealing import SealedError
from subscribers.lists import export
from subscribers.models import Export

NO_RECIPIENTS = (
    "Set EXPORT_RECIPIENTS to an age public key, or to two that can open a list only together. "
    "age-keygen makes one; docs/operations.md, Lists of readers."
)
ONE_OPENS = """\
To open it:
    age --decrypt -i key.txt {file} > {name}
"""
TWO_OPEN = """\
To open it, first the holder of {outer}:
    age --decrypt -i key.txt {file} > inner.age
Then the holder of {inner}:
    age --decrypt -i key.txt inner.age > {name}
"""


class Command(BaseCommand):
    help = (
        "Exports a newsletter's active readers (CSV), or the evidence of their consent (JSON "
        "Lines, without addresses), as an age file for EXPORT_RECIPIENTS. Needs the worker's keys."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("newsletter", help="its short name")
        parser.add_argument("--to", required=True, metavar="FILE", help="a new file, or -")
        parser.add_argument("--consents", action="store_true", help="evidence, not addresses (B8)")
        parser.add_argument("--purpose", default="", help="a note that stays with the export")
        parser.add_argument(
            "--plain", action="store_true", help="in clear; only to a terminal: --to -"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        newsletter = newsletter_by_slug(options["newsletter"])
        kind = Export.Kind.CONSENTS if options["consents"] else Export.Kind.READERS
        purpose = _checked(options["purpose"])
        try:
            kill_switch.require_released()
            if options["plain"]:
                self._show(newsletter, kind, purpose, options["to"])
            else:
                self._write(newsletter, kind, purpose, options["to"])
        except kill_switch.KillSwitchEngagedError as error:
            raise CommandError(str(error)) from None
        except SealedError as error:
            raise CommandError(f"The list cannot be opened here: {error}.") from None
        except OSError as error:
            raise CommandError(f"{error.filename or options['to']}: {error.strerror}") from None

    def _show(self, newsletter: Newsletter, kind: Export.Kind, purpose: str, to: str) -> None:
        if to != "-" or not self.stdout.isatty():
            raise CommandError("--plain writes to a terminal only: --to -")
        if kind == Export.Kind.READERS and len(settings.EXPORT_RECIPIENTS) > 1:
            raise CommandError(
                "EXPORT_RECIPIENTS names two people, who open a list together: "
                "--plain would show it to one."
            )
        export.show(
            newsletter, kind, lambda line: self.stdout.write(line, ending=""), purpose=purpose
        )

    def _write(self, newsletter: Newsletter, kind: Export.Kind, purpose: str, to: str) -> None:
        recipients: list[str] = settings.EXPORT_RECIPIENTS
        if not recipients:
            raise CommandError(NO_RECIPIENTS)
        with _opened(to) as file:
            made = export.write(newsletter, kind, file, purpose=purpose)
        # Standard output may be the file.
        count = "1 reader" if made.readers == 1 else f"{made.readers} readers"
        self.stderr.write(f"{count}, encrypted for {' and '.join(recipients)}.")
        text = ONE_OPENS if len(recipients) == 1 else TWO_OPEN
        name = "consents.jsonl" if kind == Export.Kind.CONSENTS else "readers.csv"
        told = text.format(
            inner=recipients[0], outer=recipients[-1], file="FILE" if to == "-" else to, name=name
        )
        self.stderr.write(told, ending="")


def _checked(purpose: str) -> str:
    purpose = purpose.strip()
    if len(purpose) > 200 or (purpose and not purpose.isprintable()):
        raise CommandError("The purpose is one line of at most 200 characters.")
    if "@" in purpose:
        raise CommandError("The purpose stays for good, so it must not contain an address.")
    return purpose


@contextmanager
def _opened(name: str) -> Iterator[age.Writable]:
    """A new file that only its owner can read, or standard output. A file that could not be
    completed is removed."""
    if name == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        # Unbuffered: whatever is wrong with the disk shows while the export is being written.
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            yield file
    except BaseException:
        os.unlink(name)
        raise
