"""The actions that editors can take on a mailing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from newsletter.delivery.models import Mailing, Release
from newsletter.delivery.oversight import control
from newsletter.delivery.oversight.report import Report
from newsletter.delivery.planning import start
from newsletter.desk.access.roles import CONTROL, SEND
from newsletter.editorial.models import User
from newsletter.editorial.schedule import Month

State = Mailing.State
CLOSED = {State.FINISHED, State.CANCELLED}


@dataclass(frozen=True)
class Action:
    """One action. `meaning` explains it on the confirmation page.

    `run` returns the mailing to show next, or None if there was nothing to do; it may raise
    CannotSendError. `is_offered` tells whether the action applies to a mailing with these counts.
    """

    label: Any
    meaning: Any
    needs: str
    """The permission."""
    run: Callable[[Mailing, User], Mailing | None]
    is_offered: Callable[[Mailing, Report], bool]


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
        _in_states(State.SENDING),
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
        _("This can’t be undone. Readers who are still waiting won’t get this issue."),
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
