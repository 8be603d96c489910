"""What can be done with a send-out: each action's name, what it means, and when it is offered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from newsletter.delivery.models import Mailing, Release
from newsletter.delivery.oversight import control
from newsletter.delivery.oversight.report import Report
from newsletter.delivery.planning import snapshot
from newsletter.editorial.models import User
from newsletter.editorial.schedule import Month

State = Mailing.State
ENDED = {State.FINISHED, State.CANCELLED}


@dataclass(frozen=True)
class Action:
    """`do` returns the send-out to look at next, or None where there was nothing to do. It may
    raise planner.CannotSend."""

    label: Any
    meaning: Any
    do: Callable[[Mailing, User], Mailing | None]
    offered: Callable[[Mailing, Report], bool]


def _if_changed(change: Callable[[Mailing], object]) -> Callable[[Mailing, User], Mailing | None]:
    return lambda mailing, _by: mailing if change(mailing) else None


def _in(*states: State) -> Callable[[Mailing, Report], bool]:
    return lambda mailing, _account: mailing.state in states


def _is_held_round_up(mailing: Mailing, _account: Report) -> bool:
    """A held issue is sent from its own page."""
    return mailing.state == State.HELD and mailing.release.kind == Release.Kind.MONTHLY


def _send_round_up(mailing: Mailing, by: User) -> Mailing:
    release = mailing.release
    return snapshot.send_round_up(release.newsletter, Month.parse(release.period), by=by)


ACTIONS = {
    "send": Action(
        _("Send now"),
        _("It goes to readers who chose the monthly round-up."),
        _send_round_up,
        _is_held_round_up,
    ),
    "try": Action(
        _("Retry now"),
        _("Retry deferred readers now instead of waiting for the next attempt."),
        _if_changed(control.retry_now),
        lambda mailing, _account: control.may_retry_now(mailing),
    ),
    "pause": Action(
        _("Pause"),
        _(
            "Sending stops until you resume. Emails that have already been handed over will "
            "still arrive."
        ),
        _if_changed(control.pause),
        _in(State.SENDING),
    ),
    "resume": Action(
        _("Resume"),
        _("Sending continues with the readers who are still waiting."),
        _if_changed(control.resume),
        _in(State.PAUSED),
    ),
    "cancel": Action(
        _("Cancel mailing"),
        _("This can’t be undone. Readers who are still waiting won’t get this issue."),
        _if_changed(control.cancel),
        _in(*control.CANCELLABLE),
    ),
    "unreached": Action(
        _("Send to readers who weren’t reached"),
        _(
            "Sends the issue again to readers whose email was refused, failed or was skipped. "
            "Anyone who got it, or may have got it, is left out."
        ),
        lambda mailing, by: snapshot.send_to_unreached(mailing.release, by=by),
        lambda mailing, account: (
            mailing.state in ENDED and bool(account.refused + account.failed + account.skipped)
        ),
    ),
    "again": Action(
        _("Resend to unknown (may arrive twice)"),
        _("We don’t know whether these readers got the email. Some of them may get it twice."),
        lambda mailing, by: snapshot.send_to_in_doubt(mailing.release, by=by),
        lambda mailing, account: mailing.state in ENDED and bool(account.unknown),
    ),
    "leave": Action(
        _("Mark unknown as failed"),
        _("These readers won’t be sent this issue again. They are counted as failed."),
        _if_changed(control.mark_unknown_as_failed),
        lambda mailing, account: mailing.state in ENDED and bool(account.unknown),
    ),
}
