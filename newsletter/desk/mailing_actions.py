"""The actions that editors can take on a mailing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from newsletter.delivery.models import Mailing, Release
from newsletter.delivery.oversight import control
from newsletter.delivery.oversight.pace import handing_over
from newsletter.delivery.oversight.report import Report
from newsletter.delivery.planning import start
from newsletter.desk.access.roles import CONTROL, SEND
from newsletter.editorial.models import User
from newsletter.editorial.schedule import Month

State = Mailing.State
CLOSED = {State.FINISHED, State.CANCELLED}


@dataclass(frozen=True)
class Action:
    """One action. `meaning` explains it on the confirmation page; it may need the counts.

    `run` returns the mailing to show next, or None if there was nothing to do; it may raise
    CannotSendError. `is_offered` tells whether the action applies to a mailing with these counts.
    """

    label: Any
    meaning: Any | Callable[[Mailing, Report], str]
    needs: str
    """The permission."""
    run: Callable[[Mailing, User], Mailing | None]
    is_offered: Callable[[Mailing, Report], bool]

    def explain(self, mailing: Mailing, counts: Report) -> str:
        return self.meaning(mailing, counts) if callable(self.meaning) else str(self.meaning)


def _returning_mailing(
    change: Callable[[Mailing], object],
) -> Callable[[Mailing, User], Mailing | None]:
    return lambda mailing, _by: mailing if change(mailing) else None


def _in_states(*states: State) -> Callable[[Mailing, Report], bool]:
    return lambda mailing, _counts: mailing.state in states


def _is_held_round_up(mailing: Mailing, _counts: Report) -> bool:
    """Tell whether it is a held round-up. A held issue is sent from the issue's own page."""
    return mailing.state == State.HELD and mailing.release.kind == Release.Kind.MONTHLY


def _send_round_up(mailing: Mailing, by: User) -> Mailing:
    release = mailing.release
    return start.send_round_up(release.newsletter, Month.parse(release.period), by=by)


def _cancelling(mailing: Mailing, counts: Report) -> str:
    """Say how many readers have it, how many may be about to get it, and how many won't."""
    if mailing.snapshot_at is None:
        return gettext(
            "Nothing has been sent, and the schedule won’t send it either. You can still send it "
            "from the issue’s page."
        )
    on_its_way = handing_over(mailing)
    return gettext(
        "This can’t be undone. Sent already: %(sent)s. Being handed over right now, and perhaps "
        "sent: up to %(handing)s. The other readers won’t get it: at least %(rest)s."
    ) % {
        "sent": number_format(counts.sent + counts.handed_over, force_grouping=True),
        "handing": number_format(on_its_way, force_grouping=True),
        "rest": number_format(
            max(counts.waiting - counts.handed_over - on_its_way, 0), force_grouping=True
        ),
    }


ACTIONS = {
    "send": Action(
        _("Send now"),
        _("It goes to readers who chose the monthly round-up."),
        SEND,
        _send_round_up,
        _is_held_round_up,
    ),
    "retry": Action(
        _("Retry now"),
        _("Retry deferred readers now instead of waiting for the next attempt."),
        CONTROL,
        _returning_mailing(control.retry_now),
        lambda mailing, _counts: control.may_retry_now(mailing),
    ),
    "pause": Action(
        _("Pause mailing"),
        _(
            "Sending stops until you resume. Emails that have already been handed over will "
            "still arrive."
        ),
        CONTROL,
        _returning_mailing(control.pause),
        _in_states(*control.PAUSABLE),
    ),
    "resume": Action(
        _("Resume mailing"),
        _("Sending continues with the readers who are still waiting."),
        CONTROL,
        _returning_mailing(control.resume),
        _in_states(State.PAUSED),
    ),
    "cancel": Action(
        _("Cancel mailing"),
        _cancelling,
        CONTROL,
        _returning_mailing(control.cancel),
        _in_states(*control.CANCELLABLE),
    ),
    "unreached": Action(
        _("Send to readers who weren’t reached"),
        _(
            "Sends the issue again to readers whose email was refused, failed or was skipped. "
            "Anyone who got it, or may have got it, is left out."
        ),
        SEND,
        lambda mailing, by: start.send_again(mailing.release, Mailing.Audience.UNREACHED, by=by),
        lambda mailing, counts: (
            mailing.state in CLOSED and bool(counts.refused + counts.failed + counts.skipped)
        ),
    ),
    "resend-unknown": Action(
        _("Resend to unknown (may arrive twice)"),
        _("We don’t know whether these readers got the email. Some of them may get it twice."),
        SEND,
        lambda mailing, by: start.send_again(mailing.release, Mailing.Audience.IN_DOUBT, by=by),
        lambda mailing, counts: mailing.state in CLOSED and bool(counts.unknown),
    ),
    "mark-failed": Action(
        _("Mark unknown as failed"),
        _("These readers won’t be sent this issue again. They are counted as failed."),
        CONTROL,
        _returning_mailing(control.mark_unknown_as_failed),
        lambda mailing, counts: mailing.state in CLOSED and bool(counts.unknown),
    ),
}
