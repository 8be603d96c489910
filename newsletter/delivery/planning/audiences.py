"""Which readers the audience of a mailing takes. Pure.

Reach has one row per reader and release, so two mailings of a release never take the
same reader. `unreached` and `in_doubt` move that row to themselves, in the same statement that
checks the reader's last outcome.
"""

from __future__ import annotations

from newsletter.delivery.models import Mailing
from newsletter.transport.outcomes import Result
from subscribers.audience import Segment

Audience = Mailing.Audience

_LAST_OUTCOMES = {
    # Never unknown: such a reader may have received the message.
    Audience.UNREACHED: frozenset({Result.REFUSED, Result.FAILED, Result.SKIPPED}),
    Audience.IN_DOUBT: frozenset({Result.UNKNOWN}),
}


def last_outcomes(audience: str) -> frozenset[Result]:
    """The last outcomes of the readers that this audience takes.

    Empty for an audience of readers whom no mailing of the release has taken yet.
    """
    return _LAST_OUTCOMES.get(Audience(audience), frozenset())


def includes(segment: Segment, *, first_language: str) -> bool:
    """Whether the audience includes readers with this profile.

    `first_language` is the mailing's language; an empty string includes every profile.
    """
    return not first_language or segment.languages[0] == first_language
