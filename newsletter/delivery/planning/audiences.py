"""Decide which readers a mailing's audience includes. Pure.

ReleaseRecipient has one row per reader and release, so two mailings of a release never send to the
same reader. A mailing to the audience `unreached` or `in_doubt` moves that row to itself, in the
statement that checks the reader's last outcome.
"""

from __future__ import annotations

from newsletter.delivery.models import Mailing
from newsletter.transport.outcomes import Result
from subscribers.audience import Segment

Audience = Mailing.Audience

_LAST_OUTCOMES = {
    # Unknown is left out: such a reader may have received the message.
    Audience.UNREACHED: frozenset({Result.REFUSED, Result.FAILED, Result.SKIPPED}),
    Audience.IN_DOUBT: frozenset({Result.UNKNOWN}),
}


def last_outcomes(audience: str) -> frozenset[Result]:
    """Return the last outcomes that put a reader into this audience.

    Empty for an audience of readers who are not recipients of the release yet.
    """
    return _LAST_OUTCOMES.get(Audience(audience), frozenset())


def includes(segment: Segment, *, first_language: str) -> bool:
    """Return whether the audience includes the readers of this segment.

    `first_language` is the mailing's language; an empty string includes every segment.
    """
    return not first_language or segment.languages[0] == first_language
