"""`manage.py send_issue NEWSLETTER WEEK [--monthly] [--wait]`: send an issue or round-up now."""

from __future__ import annotations

import time
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from newsletter.delivery.management.commands.audit import describe, reader_count
from newsletter.delivery.models import Mailing
from newsletter.delivery.oversight.audit import audit
from newsletter.delivery.oversight.report import Report, deferred, report, waiting_for_hour
from newsletter.delivery.planning import snapshot, start
from newsletter.delivery.sending import protocol, rescue, wake_ups
from newsletter.delivery.sending.sender import send_batch
from newsletter.editorial import workflow
from newsletter.editorial.arguments import newsletter_by_slug
from newsletter.editorial.models import Issue, Newsletter
from newsletter.editorial.schedule import Month

DONE = {Mailing.State.FINISHED, Mailing.State.CANCELLED, Mailing.State.CLOSED, Mailing.State.HELD}


class Command(BaseCommand):
    help = (
        "Send an issue to its readers, or a month's round-up to the readers who chose it. If the "
        "issue isn't approved yet, this approves it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("newsletter", help="the newsletter's slug")
        parser.add_argument(
            "week",
            metavar="WEEK",
            help="the week's Monday (YYYY-MM-DD) or a special issue's slug; a month (YYYY-MM) "
            "with --monthly",
        )
        parser.add_argument("--monthly", action="store_true", help="send the round-up of a month")
        parser.add_argument(
            "--wait", action="store_true", help="send as one more worker, then show the audit"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.WORKER_KEYS is None:
            raise CommandError("This process doesn't have the worker's keys. Set WORKER_KEYS_FILE.")
        newsletter = newsletter_by_slug(options["newsletter"])
        send = self._send_round_up if options["monthly"] else self._send_issue
        try:
            mailing = snapshot.prepare(send(newsletter, options["week"]).pk)
        except start.CannotSendError as error:
            raise CommandError(str(error)) from None
        self._print_start(mailing)
        if options["wait"]:
            self._send_until_done(mailing)
        elif mailing.state == Mailing.State.SENDING:
            wake_ups.wake_due()
            self.stdout.write("The workers are sending it. `manage.py audit` shows the progress.")

    def _send_issue(self, newsletter: Newsletter, week: str) -> Mailing:
        issue = _issue(newsletter, week)
        if not issue.is_approved:
            try:
                workflow.approve(issue, by=None)
            except workflow.OwnTextError as error:
                raise CommandError(str(error)) from None
            self.stdout.write("The issue wasn't approved. It is now.")
        return start.send_now(issue, by=None)

    def _send_round_up(self, newsletter: Newsletter, month: str) -> Mailing:
        try:
            parsed = Month.parse(month)
        except ValueError:
            raise CommandError(f"“{month}” isn't a month (YYYY-MM).") from None
        return start.send_round_up(newsletter, parsed, by=None)

    def _print_start(self, mailing: Mailing) -> None:
        if mailing.state == Mailing.State.HELD:
            reason = f"{mailing.get_hold_display()}. {mailing.hold_detail}"
            raise CommandError(f"The mailing is held: {reason}".rstrip())
        count = mailing.editions.count()
        editions = "1 edition" if count == 1 else f"{count} editions"
        self.stdout.write(f"{mailing}: {reader_count(mailing.readers or 0)}, {editions}.")

    def _send_until_done(self, mailing: Mailing) -> None:
        """Send alongside the workers, until only readers with a later delivery hour are left."""
        last_percent, last_line = -1, ""
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
            if counts.done_percent != last_percent:
                last_percent = counts.done_percent
                sent = counts.sent + counts.handed_over
                self.stdout.write(f"  {last_percent:3d}%  {sent} sent, {counts.waiting} waiting")
            line = _deferred_line(mailing)
            if line not in {"", last_line}:
                self.stdout.write(line)
            last_line = line
            if self._only_later_hours_left(mailing, counts):
                break
        for finding in audit(mailing.pk):
            self.stdout.write(describe(finding))

    def _only_later_hours_left(self, mailing: Mailing, counts: Report) -> bool:
        waiting = waiting_for_hour(mailing)
        if waiting is None or waiting.readers != counts.waiting:
            return False
        zone = mailing.release.newsletter.timezone
        at = waiting.last_at.astimezone(ZoneInfo(zone))
        verb = "prefers" if waiting.readers == 1 else "prefer"
        self.stdout.write(
            f"  {reader_count(waiting.readers)} {verb} a later delivery hour. The workers will "
            f"send the last email at {at:%Y-%m-%d %H:%M} ({zone})."
        )
        return True


def _deferred_line(mailing: Mailing) -> str:
    """Return a line about readers whose email was deferred; an empty string without any."""
    waiting = deferred(mailing)
    if waiting is None:
        return ""
    reason = f" ({waiting.why})" if waiting.why else ""
    return f"  {waiting.readers} deferred until {waiting.next_at:%H:%M:%S} UTC{reason}"


def _issue(newsletter: Newsletter, week: str) -> Issue:
    issues = newsletter.issues.without_breaks()
    if found := issues.by_key(week):
        return found
    try:
        is_monday = date.fromisoformat(week).weekday() == 0
    except ValueError:
        raise CommandError(
            f"“{week}” is neither a date (YYYY-MM-DD) nor the slug of a special issue."
        ) from None
    if not is_monday:
        raise CommandError(f"{week} isn't a Monday. Name a week by its Monday.")
    known = ", ".join(issue.key for issue in issues[:8]) or "none yet"
    raise CommandError(f"Issue {week} doesn't exist. The latest are: {known}.")
