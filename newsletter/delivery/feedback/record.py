"""Store what was reported, and act on it: `record` for one report, `record_many` for a portion.

Each event counts once, however often and in whatever order it arrives (D10). In one transaction it
is stored, settles the outcome if that was unknown, and acts on the reader (D2, D3).
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from newsletter.delivery.feedback import rates, reactions
from newsletter.delivery.feedback.events import Feedback
from newsletter.delivery.message_ids import MAILING, TRANSACTIONAL
from newsletter.delivery.models import Event, Mailing, Outcome, ProviderMessage
from newsletter.delivery.sending import ledger
from newsletter.lib import prepared_statements
from newsletter.transport.outcomes import Fault, Result
from subscribers.models import Subscriber, TransactionalEmail

log = logging.getLogger(__name__)
PORTION = 1000
Kind = Event.Kind


class Located(NamedTuple):
    """A report, and what it is about. Each ID is None if it isn't known or no longer exists."""

    report: Feedback
    mailing_id: int | None
    subscriber_id: int | None
    email_id: int | None = None


def record(report: Feedback) -> bool:
    """Record one report; return whether it is new and about somebody or something we know."""
    return record_many([report]) == 1


@transaction.atomic
def record_many(reports: Sequence[Feedback]) -> int:
    """Record reports in one transaction; return how many were new."""
    return sum(
        _record_portion(reports[start : start + PORTION])
        for start in range(0, len(reports), PORTION)
    )


def _record_portion(reports: Sequence[Feedback]) -> int:
    located = _locate(reports)
    _settle(located)
    new = _store(each for each in located if each.report.kind != Kind.ACCEPTED)
    reactions.react(new)
    rates.note({each.mailing_id for each in new if each.report.kind in rates.COUNTED})
    return len(new)


# --- What a report is about -------------------------------------------------------------------
def _locate(reports: Sequence[Feedback]) -> list[Located]:
    by_message_id = _mailings_by_message_id(reports)
    found = [_locate_one(report, by_message_id) for report in reports]
    mailings = _existing_mailings(each.mailing_id for each in found)
    readers = _existing_readers(each.subscriber_id for each in found)
    # An erased reader keeps no event, and a closed mailing forgets who got it.
    located = [
        each._replace(
            mailing_id=each.mailing_id if each.mailing_id in mailings else None,
            subscriber_id=each.subscriber_id if each.subscriber_id in readers else None,
        )
        for each in found
    ]
    known = [each for each in located if each.mailing_id or each.subscriber_id]
    if len(known) < len(reports):
        sources = Counter(report.source for report in reports) - Counter(
            each.report.source for each in known
        )
        log.info("feedback-unmatched", extra=dict(sources))
    return known


def _locate_one(report: Feedback, by_message_id: dict[str, list[tuple[int, int]]]) -> Located:
    if report.trace is not None:
        kind, pk, reader = report.trace
        if kind == MAILING:
            return Located(report, pk, reader)
        return (
            Located(report, None, reader, pk)
            if kind == TRANSACTIONAL
            else Located(report, None, None)
        )
    sent = by_message_id.get(report.message_id, [])
    if report.subscriber_id is not None:
        mailing = next((m for m, reader in sent if reader == report.subscriber_id), None)
        return Located(report, mailing, report.subscriber_id)
    # A provider may give a whole batch one ID, which then leads to nobody without the recipient.
    return Located(report, *sent[0]) if len(sent) == 1 else Located(report, None, None)


def _mailings_by_message_id(reports: Iterable[Feedback]) -> dict[str, list[tuple[int, int]]]:
    """Return (mailing, reader) by the provider's message ID, where that is what identifies them."""
    looked_up = [r for r in reports if r.trace is None and r.message_id]
    if not looked_up:
        return {}
    rows = ProviderMessage.objects.filter(
        message_id__in={r.message_id[: ProviderMessage.MAX_LENGTH] for r in looked_up}
    )
    readers = {r.subscriber_id for r in looked_up if r.subscriber_id is not None}
    if all(r.subscriber_id is not None for r in looked_up):
        # A batch of 1,000 readers may share an ID.
        rows = rows.filter(subscriber_id__in=readers)
    found = defaultdict(list)
    for message_id, *sent_to in rows.values_list("message_id", "mailing_id", "subscriber_id"):
        found[message_id].append((sent_to[0], sent_to[1]))
    return found


def _existing_mailings(ids: Iterable[int | None]) -> set[int]:
    wanted = {pk for pk in ids if pk is not None}
    rows = Mailing.objects.filter(pk__in=wanted).exclude(state=Mailing.State.CLOSED)
    return set(rows.values_list("pk", flat=True)) if wanted else set()


def _existing_readers(ids: Iterable[int | None]) -> set[int]:
    wanted = {pk for pk in ids if pk is not None}
    return set(Subscriber.objects.filter(pk__in=wanted).values_list("pk", flat=True))


# --- Outcomes ---------------------------------------------------------------------------------
def _settle(located: Iterable[Located]) -> None:
    """Settle unknown outcomes. Whatever follows acceptance proves that the email was sent."""
    by_result: dict[tuple[Result, int], list[int]] = defaultdict(list)
    emails: dict[Result, list[int]] = defaultdict(list)
    for report, mailing_id, subscriber_id, email_id in located:
        result = _result(report)
        if mailing_id is not None and subscriber_id is not None:
            by_result[result, mailing_id].append(subscriber_id)
        elif email_id is not None:
            emails[result].append(email_id)
    for (result, mailing_id), readers in sorted(by_result.items()):
        which = Q(mailing_id=mailing_id, subscriber_id__in=readers)
        ledger.settle_unknown(which, result, source=Outcome.Source.EVENT)
    for result, ids in sorted(emails.items()):
        TransactionalEmail.objects.filter(
            pk__in=ids, state=TransactionalEmail.State.UNKNOWN
        ).update(state=_EMAIL_STATES[result])


def _result(report: Feedback) -> Result:
    if report.kind != Kind.REJECTED:
        return Result.SENT
    return Result.REFUSED if report.fault is Fault.READER else Result.FAILED


_EMAIL_STATES = {
    Result.SENT: TransactionalEmail.State.SENT,
    Result.REFUSED: TransactionalEmail.State.REFUSED,
    Result.FAILED: TransactionalEmail.State.FAILED,
}


# --- Events -----------------------------------------------------------------------------------
def _store(located: Iterable[Located]) -> list[Located]:
    """Store the events that are new; return them, the oldest first."""
    by_key = {each.report.key: each for each in located}
    known = Event.objects.filter(key__in=list(by_key)).values_list("key", flat=True)
    for key in {bytes(key) for key in known}:
        del by_key[key]
    today = timezone.now().date()
    # In one order, so that two workers with the same events don't wait for each other.
    rows = [
        (
            key,
            each.report.kind.value,
            each.mailing_id,
            each.subscriber_id,
            each.report.code,
            each.report.status[:12],
            each.report.fault.value,
            each.report.source[:64],
            min(each.report.at.date(), today).isoformat(),
        )
        for key, each in sorted(by_key.items())
    ]
    with prepared_statements.cursor() as cursor:
        cursor.executemany(_INSERT, rows)
    return sorted(by_key.values(), key=lambda each: each.report.at)


# In SQL, because the ORM takes several times as long.
_INSERT = """
    INSERT INTO delivery_event
    (key, kind, mailing_id, subscriber_id, code, status, fault, transport, "on")
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (key) DO NOTHING"""
