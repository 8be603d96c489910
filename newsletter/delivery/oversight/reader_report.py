"""What came back from one reader: refusals, bounces and complaints, the newest first.

It is found by the reader's row, so it needs neither an address nor a key of the workers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from newsletter.delivery.models import Event, Mailing, Outcome
from newsletter.transport.outcomes import Fault, Result

SHOWN = 20
"""How many entries are shown. A mailbox that is full can send one with every issue."""

_FAULTS: dict[Fault, str | Promise] = {
    Fault.READER: _("because of the reader’s mailbox"),
    Fault.MESSAGE: _("because of the email itself"),
    Fault.SENDER: _("because of our sending account"),
    Fault.RELAY: _("because of the relay or provider"),
    Fault.SPEED: _("because we sent too fast"),
}
_RESULTS: dict[Result, str | Promise] = {
    Result.REFUSED: _("refused when it was sent"),
    Result.FAILED: _("not sent"),
}


@dataclass(frozen=True)
class Entry:
    """One thing that came back. `mailing` is None for a single email, or once it was deleted."""

    on: date
    what: str | Promise
    fault: Fault
    codes: str
    mailing: Mailing | None

    @property
    def why(self) -> str | Promise:
        """Whose fault it was, in words; "" if nobody knows."""
        return _FAULTS.get(self.fault, "")

    @property
    def is_ours(self) -> bool:
        """Whether it doesn't count against the reader (D7)."""
        return self.fault not in {Fault.READER, Fault.NONE}


@dataclass(frozen=True)
class ReaderReport:
    """`entries` are the newest; `delivered_on` is the last day on which a delivery was reported."""

    entries: list[Entry]
    delivered_on: date | None


def reader_report(subscriber_id: int) -> ReaderReport:
    """Return what came back from a reader. Six queries at most."""
    events = Event.objects.filter(subscriber_id=subscriber_id)
    reported = events.exclude(kind=Event.Kind.DELIVERED).order_by("-on", "-pk")[:SHOWN]
    delivered = events.filter(kind=Event.Kind.DELIVERED).order_by("-on").first()
    # A mailing's number grows with time, and an outcome doesn't store a date.
    outcomes = Outcome.objects.filter(
        subscriber_id=subscriber_id, result__in=list(_RESULTS)
    ).order_by("-mailing_id")[:SHOWN]
    entries = list(_entries(list(reported), list(outcomes)))
    entries.sort(key=lambda entry: entry.on, reverse=True)
    return ReaderReport(entries[:SHOWN], delivered.on if delivered else None)


def _entries(events: list[Event], outcomes: list[Outcome]) -> Iterable[Entry]:
    ids = {event.mailing_id for event in events} | {outcome.mailing_id for outcome in outcomes}
    rows = Mailing.objects.select_related("release__newsletter", "release__issue").prefetch_related(
        "release__newsletter__translations"
    )
    mailings = rows.in_bulk([each for each in ids if each is not None])
    for event in events:
        yield Entry(
            event.on,
            Event.Kind(event.kind).label,
            Fault(event.fault),
            _codes(event.code, event.status),
            mailings.get(event.mailing_id or 0),
        )
    for outcome in outcomes:
        mailing = mailings.get(outcome.mailing_id)
        if mailing is not None:
            yield Entry(
                mailing.created_at.date(),
                _RESULTS[Result(outcome.result)],
                Fault(outcome.fault),
                _codes(outcome.code, outcome.status),
                mailing,
            )


def _codes(code: int | None, status: str) -> str:
    return f"{code or ''} {status}".strip()
