"""`manage.py send_issue NEWSLETTER WEEK [--monthly] [--wait]`: send one issue or round-up now."""

from __future__ import annotations

import time
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from newsletter.delivery.management.commands.audit import describe
from newsletter.delivery.models import Mailing
from newsletter.delivery.oversight.audit import audit
from newsletter.delivery.oversight.report import Report, deferred, report, waiting_for_hour
from newsletter.delivery.planning import dispatch, snapshot
from newsletter.delivery.sending import protocol, rescue
from newsletter.delivery.sending.sender import send_batch
from newsletter.editorial import workflow
from newsletter.editorial.arguments import newsletter_by_slug
from newsletter.editorial.models import Issue, Newsletter
from newsletter.editorial.schedule import Month

DONE = {Mailing.State.FINISHED, Mailing.State.CANCELLED, Mailing.State.CLOSED, Mailing.State.HELD}


class Command(BaseCommand):
    help = (
        "Send an issue to its readers, or a month's round-up to those who chose it. The operator's"
        " word counts as an issue's approval."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("newsletter", help="its short name")
        parser.add_argument(
            "week",
            metavar="WEEK",
            help="its Monday, YYYY-MM-DD, or a special issue's short name; with --monthly YYYY-MM",
        )
        parser.add_argument("--monthly", action="store_true", help="the round-up of that month")
        parser.add_argument(
            "--wait", action="store_true", help="take part in sending, and show the account"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.WORKER_KEYS is None:
            raise CommandError("This process holds no worker keys: set WORKER_KEYS_FILE.")
        newsletter = newsletter_by_slug(options["newsletter"])
        send = self._send_round_up if options["monthly"] else self._send_issue
        try:
            mailing = snapshot.prepare(send(newsletter, options["week"]).pk)
        except snapshot.CannotSendError as error:
            raise CommandError(str(error)) from None
        self._say_start(mailing)
        if options["wait"]:
            self._take_part(mailing)
        elif mailing.state == Mailing.State.SENDING:
            dispatch.wake_due()
            self.stdout.write("The workers are sending it; `manage.py audit` shows how it goes.")

    def _send_issue(self, newsletter: Newsletter, week: str) -> Mailing:
        issue = _issue(newsletter, week)
        if not issue.is_approved:
            workflow.approve(issue, by=None)
            self.stdout.write("The issue was not approved yet; it is now, by the operator.")
        return snapshot.send_now(issue, by=None)

    def _send_round_up(self, newsletter: Newsletter, month: str) -> Mailing:
        try:
            asked = Month.parse(month)
        except ValueError:
            raise CommandError(f"“{month}” is no month (YYYY-MM).") from None
        return snapshot.send_round_up(newsletter, asked, by=None)

    def _say_start(self, mailing: Mailing) -> None:
        if mailing.state == Mailing.State.HELD:
            raise CommandError(f"Held: {mailing.get_hold_display()}. {mailing.hold_detail}")
        editions = mailing.editions.count()
        self.stdout.write(f"{mailing}: {mailing.readers} readers, {editions} editions.")

    def _take_part(self, mailing: Mailing) -> None:
        """Send as one more worker, until nothing is left but readers who asked for another hour;
        the others may help."""
        last, told = -1, ""
        while mailing.state not in DONE:
            rescue.rescue_batches()
            for batch_id in protocol.due_batches(1):
                send_batch(batch_id)
                break
            else:
                time.sleep(0.5)
            protocol.finish_mailing(mailing.pk)
            mailing.refresh_from_db()
            counts = report(mailing)
            if counts.done_percent != last:
                last = counts.done_percent
                self.stdout.write(
                    f"  {last:3d} %  sent {counts.sent + counts.handed_over},"
                    f" waiting {counts.waiting}"
                )
            told = self._say_put_off(mailing, told)
            if self._only_later(mailing, counts):
                break
        for finding in audit(mailing.pk):
            self.stdout.write(describe(finding))

    def _say_put_off(self, mailing: Mailing, told: str) -> str:
        """Tell who waits for another try, unless that was told; returns it."""
        waits = deferred(mailing)
        if waits is None:
            return ""
        reason = f" ({waits.why})" if waits.why else ""
        line = f"  {waits.readers} wait until {waits.next_at:%H:%M:%S} UTC for another try{reason}"
        if line != told:
            self.stdout.write(line)
        return line

    def _only_later(self, mailing: Mailing, counts: Report) -> bool:
        waits = waiting_for_hour(mailing)
        if waits is None or waits.readers != counts.waiting:
            return False
        zone = mailing.release.newsletter.timezone
        at = waits.last_at.astimezone(ZoneInfo(zone))
        self.stdout.write(
            f"  {waits.readers} of its readers asked for another hour of the day, the last for"
            f" {at:%Y-%m-%d %H:%M} {zone}. The workers send to them then."
        )
        return True


def _issue(newsletter: Newsletter, week: str) -> Issue:
    issues = newsletter.issues.without_breaks()
    found = issues.by_key(week)
    if found is None:
        _check_monday(week)
        known = ", ".join(issue.key for issue in issues[:8]) or "none yet"
        raise CommandError(f"There is no issue {week}. The latest are: {known}.")
    return found


def _check_monday(week: str) -> None:
    try:
        day = date.fromisoformat(week)
    except ValueError:
        raise CommandError(
            f"“{week}” is neither a date (YYYY-MM-DD) nor a special issue."
        ) from None
    if day.weekday() != 0:
        raise CommandError(f"{week} is no Monday; a week is named by its Monday.")
