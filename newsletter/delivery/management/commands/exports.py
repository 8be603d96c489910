"""`manage.py exports ask|add|list`: exports that two people approve, and what was exported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from newsletter.delivery import panic
from newsletter.editorial.models import Newsletter
from subscribers import approvals, export_requests
from subscribers.models import Export

ASKED = """\
The request is above: give it, as a file, to those who approve. Each of two runs, until {until},
manage.py approve_export FILE --key KEYFILE, and their answers come here:
manage.py exports add {id} ANSWER
"""


class Command(BaseCommand):
    help = "Asks two people for an export of addresses, takes their approvals, lists exports."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="action", required=True)
        ask = commands.add_parser("ask", help="write a request, to be approved")
        ask.add_argument("newsletter", help="its short name")
        ask.add_argument("--purpose", required=True, help="in a line; it is kept")
        add = commands.add_parser("add", help="add what `approve_export` answered")
        add.add_argument("id")
        add.add_argument("approval")
        commands.add_parser("list", help="what was asked for and what was made, the newest first")

    def handle(self, *args: Any, **options: Any) -> None:
        action: Callable[[dict[str, Any]], None] = getattr(self, f"_{options['action']}")
        try:
            action(options)
        except panic.Frozen as error:
            raise CommandError(str(error)) from None
        except approvals.NotApproved as error:
            raise CommandError(f"{error}.") from None

    def _ask(self, options: dict[str, Any]) -> None:
        panic.refuse_if_frozen()
        if not settings.EXPORT_APPROVERS:
            raise CommandError("EXPORT_APPROVERS is not set: export_readers needs no approval.")
        newsletter = Newsletter.objects.filter(slug=options["newsletter"]).first()
        if newsletter is None:
            raise CommandError(f"There is no newsletter “{options['newsletter']}”.")
        export = export_requests.ask(newsletter, options["purpose"])
        self.stdout.write(export.statement)
        until = approvals.read(export.statement).until
        self.stderr.write(ASKED.format(id=export.public_id, until=until), ending="")

    def _add(self, options: dict[str, Any]) -> None:
        names = export_requests.add(options["id"], options["approval"].strip())
        missing = max(0, approvals.NEEDED - len(names))
        self.stdout.write(f"Approved by {', '.join(names)}; {missing} more needed.")

    def _list(self, _options: dict[str, Any]) -> None:
        for export in Export.objects.order_by("-pk"):
            self.stdout.write(describe(export))


def describe(export: Export) -> str:
    """One export in a line, for a terminal."""
    if export.made_at:
        who = f"approved by {export.approved_by}" if export.approved_by else "no approval needed"
        readers = "not completed" if export.readers is None else f"{export.readers} readers"
        state = f"made {export.made_at:%Y-%m-%d %H:%M}, {readers}, {who}"
    else:
        names = export_requests.signed_by(export)
        state = f"asked for {export.asked_at:%Y-%m-%d %H:%M}, {len(names)} approvals so far"
    return f"{export.public_id} {export.newsletter}: {state}. {export.purpose}".rstrip()
