"""`manage.py send_issue NEWSLETTER WEEK [--wait]`: send one issue now."""

from __future__ import annotations

import time
from datetime import date
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from newsletter.delivery import dispatch, planner, progress, rescue
from newsletter.delivery.account import account
from newsletter.delivery.audit import audit
from newsletter.delivery.management.commands.audit import describe
from newsletter.delivery.models import Mailing
from newsletter.delivery.sender import send_batch
from newsletter.editorial import workflow
from newsletter.editorial.models import Issue, Newsletter

DONE = {Mailing.State.FINISHED, Mailing.State.CANCELLED, Mailing.State.CLOSED, Mailing.State.HELD}


class Command(BaseCommand):
    help = "Send an issue to its readers. The operator's word counts as its approval."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("newsletter", help="its short name")
        parser.add_argument("week", help="its Monday, YYYY-MM-DD, or a special issue's short name")
        parser.add_argument(
            "--wait", action="store_true", help="take part in sending, and show the account"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.WORKER_KEYS is None:
            raise CommandError("This process holds no worker keys: set WORKER_KEYS_FILE.")
        issue = _issue(options["newsletter"], options["week"])
        if issue.state != Issue.State.APPROVED:
            workflow.approve(issue, by=None)
            self.stdout.write("The issue was not approved yet; it is now, by the operator.")
        try:
            mailing = planner.prepare(planner.send_now(issue, by=None).pk)
        except planner.CannotSend as error:
            raise CommandError(str(error)) from None
        self._say_start(mailing)
        if options["wait"]:
            self._take_part(mailing)
        elif mailing.state == Mailing.State.SENDING:
            dispatch.hint_due()
            self.stdout.write("The workers are sending it; `manage.py audit` shows how it goes.")

    def _say_start(self, mailing: Mailing) -> None:
        if mailing.state == Mailing.State.HELD:
            raise CommandError(f"Held: {mailing.get_hold_display()}. {mailing.hold_detail}")
        editions = mailing.editions.count()
        self.stdout.write(f"{mailing}: {mailing.readers} readers, {editions} editions.")

    def _take_part(self, mailing: Mailing) -> None:
        """Send as one more worker, until nothing is left; the others may help."""
        last = -1
        while mailing.state not in DONE:
            rescue.rescue_batches()
            for batch_id in progress.due_batches(1):
                send_batch(batch_id)
                break
            else:
                time.sleep(0.5)
            progress.finish_mailing(mailing.pk)
            mailing.refresh_from_db()
            counts = account(mailing)
            if counts.done_percent != last:
                last = counts.done_percent
                self.stdout.write(
                    f"  {last:3d} %  sent {counts.sent + counts.handed_over},"
                    f" waiting {counts.waiting}"
                )
        for finding in audit(mailing.pk):
            self.stdout.write(describe(finding))


def _issue(slug: str, week: str) -> Issue:
    newsletter = Newsletter.objects.filter(slug=slug).first()
    if newsletter is None:
        known = ", ".join(Newsletter.objects.values_list("slug", flat=True)) or "none yet"
        raise CommandError(f"There is no newsletter “{slug}”. There are: {known}.")
    issues = newsletter.issues.exclude(kind=Issue.Kind.BREAK)
    found = issues.filter(kind=Issue.Kind.SPECIAL, slug=week).first()
    if found is None:
        found = issues.exclude(kind=Issue.Kind.SPECIAL).filter(starts_on=_monday(week)).first()
    if found is None:
        known = ", ".join(issue.key for issue in issues[:8]) or "none yet"
        raise CommandError(f"There is no issue {week}. The latest are: {known}.")
    return found


def _monday(week: str) -> date:
    try:
        day = date.fromisoformat(week)
    except ValueError:
        raise CommandError(
            f"“{week}” is neither a date (YYYY-MM-DD) nor a special issue."
        ) from None
    if day.weekday() != 0:
        raise CommandError(f"{week} is no Monday; a week is named by its Monday.")
    return day
