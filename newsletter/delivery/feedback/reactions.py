"""Act on readers: suppress after complaints and bounces, unsubscribe on request (D2, D3, D5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import Max
from django.utils import timezone

from newsletter.delivery.feedback.bounces import (
    MEMORY,
    Bounce,
    bounced_too_often,
    suppresses_at_once,
)
from newsletter.delivery.models import Event, Mailing, Outcome
from newsletter.transport.outcomes import Fault, Result
from subscribers import lifecycle
from subscribers.crypto.sealing import AddressHash
from subscribers.models import LiftedSuppression, Subscriber, Subscription, Suppression
from subscribers.suppression import suppress_all

if TYPE_CHECKING:
    from newsletter.delivery.feedback.record import Located

Kind = Event.Kind
_BOUNCES = (Kind.BOUNCED, Kind.DEFERRED)


def react(new: Sequence[Located]) -> None:
    """Act on events that are stored for the first time.

    A suppression that staff lifted stays lifted: an event from before that no longer counts.
    """
    concerned = [each for each in new if each.subscriber_id and each.report.kind != Kind.DELIVERED]
    if not concerned:
        return
    lifted = _lifted({each.subscriber_id for each in concerned if each.subscriber_id})
    reasons: dict[int, str] = {}
    in_doubt: set[int] = set()
    for each in concerned:
        report, reader = each.report, each.subscriber_id
        if reader is None or (reader in lifted and report.at <= lifted[reader]):
            continue
        if suppresses_at_once(report.kind, report.fault, report.status):
            is_complaint = report.kind == Kind.COMPLAINED
            reason = Suppression.Reason.COMPLAINED if is_complaint else Suppression.Reason.BOUNCED
            if reasons.get(reader) != Suppression.Reason.COMPLAINED:
                reasons[reader] = reason
        elif report.kind == Kind.UNSUBSCRIBED:
            _unsubscribe(each)
        elif report.kind in _BOUNCES and report.fault is Fault.READER:
            in_doubt.add(reader)
    in_doubt -= reasons.keys()
    reasons |= dict.fromkeys(_bounced_too_often(in_doubt, lifted), Suppression.Reason.BOUNCED)
    _suppress(reasons)


def _suppress(reasons: dict[int, str]) -> int:
    if not reasons:
        return 0
    rows = Subscriber.objects.filter(pk__in=reasons)
    columns = rows.values_list("pk", "address_hash_key", "address_hash")
    suppress_all({AddressHash(number, bytes(d)): reasons[pk] for pk, number, d in columns})
    return len(columns)


def _lifted(readers: Iterable[int]) -> dict[int, datetime]:
    rows = LiftedSuppression.objects.filter(subscriber__in=readers).order_by()
    return dict(rows.values_list("subscriber").annotate(at=Max("lifted_at")))


def _unsubscribe(each: Located) -> None:
    """Unsubscribe from the mailing's newsletter, or from all if the mailing isn't known.

    A reader who has confirmed again since then stays subscribed.
    """
    subscriptions = Subscription.objects.filter(subscriber=each.subscriber_id)
    if each.mailing_id is not None:
        newsletter = Mailing.objects.filter(pk=each.mailing_id).values("release__newsletter")
        subscriptions = subscriptions.filter(newsletter__in=newsletter)
    on = each.report.at.date()
    for pk, confirmed_on in subscriptions.values_list("pk", "confirmed_on"):
        if confirmed_on is None or confirmed_on <= on:
            lifecycle.unsubscribe(pk)


def _bounced_too_often(readers: set[int], lifted: dict[int, datetime]) -> set[int]:
    """Return those of the readers whose bounces suffice. Two queries."""
    if not readers:
        return set()
    events = Event.objects.filter(
        subscriber_id__in=readers, on__gte=timezone.now().date() - MEMORY
    ).values_list("subscriber_id", "mailing_id", "kind", "fault", "on")
    bounces: dict[int, list[Bounce]] = defaultdict(list)
    delivered: dict[int, set[int]] = defaultdict(set)
    refused: set[tuple[int | None, int | None]] = set()
    for reader, mailing_id, kind, fault, on in events:
        if reader is None:
            continue
        if kind == Kind.DELIVERED and mailing_id is not None:
            delivered[reader].add(mailing_id)
        elif kind in _BOUNCES:
            refused.add((mailing_id, reader))
            if fault == Fault.READER and not (reader in lifted and on <= lifted[reader].date()):
                bounces[reader].append(Bounce(kind, mailing_id, on))
    # Some providers never say “delivered”: an issue that wasn't followed by a bounce arrived.
    sent = Outcome.objects.filter(subscriber_id__in=readers, result=Result.SENT)
    for mailing_id, reader in sent.values_list("mailing_id", "subscriber_id"):
        if (mailing_id, reader) not in refused:
            delivered[reader].add(mailing_id)
    return {r for r in readers if bounced_too_often(bounces[r], delivered[r])}
