"""`manage.py transports [--json]`: the state of each transport."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import translation

from newsletter.delivery.oversight.transport_report import (
    Condition,
    TransportReport,
    transport_reports,
)


class Command(BaseCommand):
    help = "Show each transport's state, rate, connections and last errors."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        reports = transport_reports()
        if options["json"]:
            self.stdout.write(json.dumps([each.as_dict() for each in reports], indent=1))
            return
        with translation.override("en"):
            for each in reports:
                self.stdout.write("\n".join(describe(each)))


def describe(report: TransportReport) -> list[str]:
    """Return a transport's report in a few lines, for a terminal."""
    rank = f"{report.rank}. " if report.rank else ""
    lines = [f"{rank}{report.name}: {report.condition.value}"]
    if report.condition is Condition.DOWN:
        lines += [f"   {report.explanation.title} {report.explanation.to_do}"]
        lines += [f"   Reason: {report.reason}"]
        if report.retry_at:
            lines += [f"   Next try: {report.retry_at:%d %B %Y, %H:%M} UTC"]
    if report.accepted_at:
        lines += [f"   Last accepted an email: {report.accepted_at:%d %B %Y, %H:%M} UTC"]
    lines += [f"   {fact['label']}: {fact['value']}" for fact in report.shown_facts]
    for failure in report.errors:
        cause = f" ({failure.fault.value})" if failure.fault else ""
        lines += [f"   Refused in the last seven days: {failure.readers} × {failure.codes}{cause}"]
    return lines
