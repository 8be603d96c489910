"""`manage.py audit [--json]`: check that every reader of every mailing is accounted for."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from newsletter.delivery.oversight.audit import Finding, audit


class Command(BaseCommand):
    help = (
        "Check that every reader of every mailing is accounted for. The exit status is 2 if one "
        "isn't, and 1 if a mailing failed or waits for somebody to act."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON document")
        parser.add_argument("--mailing", type=int, metavar="ID", help="check only this mailing")

    def handle(self, *args: Any, **options: Any) -> None:
        mailing_id = options["mailing"]
        findings = audit(mailing_id)
        if mailing_id is not None and not findings:
            raise CommandError(f"Mailing {mailing_id} doesn't exist.")
        if options["json"]:
            self.stdout.write(json.dumps([finding.as_dict() for finding in findings], indent=1))
        elif not findings:
            self.stdout.write("Nothing has been sent yet.")
        else:
            self.stdout.write("\n".join(map(describe, findings)))
        if any(finding.faults for finding in findings):
            raise SystemExit(2)
        if any(finding.has_failed for finding in findings):
            raise SystemExit(1)


def describe(finding: Finding) -> str:
    """Return a mailing's audit in a few lines, for a terminal."""
    counts = finding.report.as_dict()
    total = counts.pop("readers")
    del counts["handed_over"]  # those readers are still counted as waiting
    numbers = ", ".join(f"{number} {name}" for name, number in counts.items() if number)
    lines = [
        f"Mailing {finding.mailing_id}, {finding.title}: {finding.state}",
        f"   {reader_count(total)}{': ' if numbers else ''}{numbers}",
        *(f"   Sent through {name}: {number}" for name, number in finding.transports),
        *([f"   Reason: {finding.reason}"] if finding.reason else []),
        *([f"   Next try: {finding.next_try:%d %B %Y, %H:%M} UTC"] if finding.next_try else []),
        *([f"   {_failure(finding)}"] if finding.has_failed else []),
        *(f"   Fault: {fault}." for fault in finding.faults),
    ]
    if not finding.faults:
        lines.append("   Every reader is accounted for.")
    return "\n".join(lines)


def _failure(finding: Finding) -> str:
    if finding.report.has_failed:
        return "This mailing failed."
    return "Nobody is getting this mailing at the moment."


def reader_count(count: int) -> str:
    """Return the number with its noun: “1 reader”, “12 readers”."""
    return "1 reader" if count == 1 else f"{count} readers"
