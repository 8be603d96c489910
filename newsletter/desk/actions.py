"""What can be done with a send-out: each action's name, what it means, and when it is offered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from newsletter.delivery import control, planner
from newsletter.delivery.account import Account
from newsletter.delivery.models import Mailing, Release
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
    offered: Callable[[Mailing, Account], bool]


def _if_changed(change: Callable[[Mailing], object]) -> Callable[[Mailing, User], Mailing | None]:
    return lambda mailing, _by: mailing if change(mailing) else None


def _in(*states: State) -> Callable[[Mailing, Account], bool]:
    return lambda mailing, _account: mailing.state in states


def _is_held_round_up(mailing: Mailing, _account: Account) -> bool:
    """A held issue is sent from its own page."""
    return mailing.state == State.HELD and mailing.release.kind == Release.Kind.MONTHLY


def _send_round_up(mailing: Mailing, by: User) -> Mailing:
    release = mailing.release
    return planner.send_round_up(release.newsletter, Month.read(release.period), by=by)


ACTIONS = {
    "send": Action(
        _("Send now"),
        _("It goes to the readers who chose the monthly round-up."),
        _send_round_up,
        _is_held_round_up,
    ),
    "try": Action(
        _("Try again now"),
        _("Readers who could not be handed over yet are not kept waiting for the next try."),
        _if_changed(control.try_now),
        lambda mailing, _account: control.may_try_now(mailing),
    ),
    "pause": Action(
        _("Pause"),
        _("Nothing more is handed over until you resume. What is on its way arrives."),
        _if_changed(control.pause),
        _in(State.SENDING),
    ),
    "resume": Action(
        _("Resume"),
        _("It goes on with the readers who wait."),
        _if_changed(control.resume),
        _in(State.PAUSED),
    ),
    "cancel": Action(
        _("Cancel"),
        _("It ends for good: readers who still wait will not get this issue."),
        _if_changed(control.cancel),
        _in(*control.CANCELLABLE),
    ),
    "unreached": Action(
        _("Send to those who were not reached"),
        _(
            "It goes once more to readers whose mail was refused, failed or was skipped. Whoever"
            " got it, or may have got it, is left out."
        ),
        lambda mailing, by: planner.send_to_unreached(mailing.release, by=by),
        lambda mailing, account: (
            mailing.state in ENDED and bool(account.refused + account.failed + account.skipped)
        ),
    ),
    "again": Action(
        _("Send again to the unknown: it may arrive twice"),
        _("Nobody can tell whether these readers got it. Some may get it twice."),
        lambda mailing, by: planner.send_to_doubtful(mailing.release, by=by),
        lambda mailing, account: mailing.state in ENDED and bool(account.unknown),
    ),
    "leave": Action(
        _("Leave the unknown"),
        _("Nothing more is sent to these readers; they count as failed."),
        _if_changed(control.leave_unknowns),
        lambda mailing, account: mailing.state in ENDED and bool(account.unknown),
    ),
}
