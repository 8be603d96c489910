"""`manage.py approve_export FILE --key KEYFILE`: one of two people says yes to an export."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from subscribers import approvals


class Command(BaseCommand):
    help = (
        "Shows what is to be exported, and once you agree writes your approval. Needs the request "
        "(`exports ask`) and your private key (`keys approver`) only."
    )
    # It runs where the approver is, who has neither database nor keys of the site.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--key", type=Path, required=True, help="from `keys approver`")
        parser.add_argument("--yes", action="store_true", help="without being asked")

    def handle(self, *args: Any, **options: Any) -> None:
        private = _key(options["key"])
        try:
            text = _text(options["file"])
            self._show(approvals.read(text))
            if not options["yes"] and not self._agrees():
                raise CommandError("Not approved.")
            self.stdout.write(approvals.sign(text, private))
        except approvals.NotApproved as error:
            raise CommandError(f"{options['file']}: {error}.") from None

    def _show(self, statement: approvals.Statement) -> None:
        for name, value in asdict(statement).items():
            self.stderr.write(f"{name.replace('_', ' '):>10}: {value}")

    def _agrees(self) -> bool:
        if not sys.stdin.isatty():
            raise CommandError("There is nobody to ask: --yes says that you have read it.")
        self.stderr.write("Do you approve this? yes/no", ending=" ")
        return input().strip().lower() == "yes"


def _key(path: Path) -> bytes:
    try:
        private = bytes.fromhex(_text(path))
    except ValueError:
        private = b""
    if len(private) != 32:
        raise CommandError(f"{path}: not a key of `keys approver`")
    return private


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError as error:
        raise CommandError(f"{error.filename}: {error.strerror}") from None
