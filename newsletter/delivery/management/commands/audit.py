"""`manage.py audit [--json]`: every reader of every mailing, accounted for."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from newsletter.delivery.oversight.audit import Finding, audit


class Command(BaseCommand):
    help = "Account for every reader of every send-out. Exit status 1 where something is wrong."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON document")
        parser.add_argument("--mailing", type=int, help="only the send-out with this number")

    def handle(self, *args: Any, **options: Any) -> None:
        asked = options["mailing"]
        findings = audit(asked)
        if asked is not None and not findings:
            raise CommandError(f"Mailing {asked} doesn't exist.")
        if options["json"]:
            self.stdout.write(json.dumps([finding.as_dict() for finding in findings], indent=1))
        else:
            self._table(findings)
        if any(finding.faults for finding in findings):
            raise SystemExit(1)

    def _table(self, findings: list[Finding]) -> None:
        if not findings:
            self.stdout.write("Nothing was sent yet.")
        for finding in findings:
            self.stdout.write(describe(finding))


def describe(finding: Finding) -> str:
    """One mailing in a few lines, for a terminal."""
    counts = finding.account
    numbers = ", ".join(
        f"{number} {name}"
        for name, number in counts.as_dict().items()
        if name not in {"readers", "handed_over"} and number
    )
    lines = [
        f"#{finding.mailing_id} {finding.title}: {finding.state}",
        f"   {counts.readers} readers: {numbers or 'none'}",
        *(f"   FAULT: {fault}" for fault in finding.faults),
    ]
    if not finding.faults:
        lines.append("   The account balances.")
    return "\n".join(lines)
