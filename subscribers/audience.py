"""Who gets an issue: readers grouped by what they want, streamed; and the second read."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from newsletter.editorial.models import Newsletter
from newsletter.lib import prepared_statements
from subscribers.crypto.sealing import KeyMissingError, Sealed, SealedError, open_address, opener
from subscribers.models import Subscriber, Subscription, Suppression

log = logging.getLogger(__name__)
Frequency = Subscription.Frequency

COLUMNS = (
    "languages",
    "subscriber__language",
    "topics",
    "content",
    "pictures",
    "plain_text",
    "discreet",
)
CHUNK = 1000
_ACTIVE = Subscription.State.ACTIVE.value


@dataclass(frozen=True)
class Segment:
    """What a group of readers wants. `topics` None for all; `content` "" as the newsletter does,
    else "lead" or "full"."""

    languages: tuple[str, ...]
    page_language: str
    topics: frozenset[int] | None
    content: str
    pictures: bool
    plain_text: bool
    discreet: bool


class Reader(NamedTuple):
    """One reader at the moment of sending. The address does not show itself."""

    subscriber_id: int
    subscription_id: int
    address: str
    language: str
    discreet: bool = False

    def __repr__(self) -> str:
        return f"Reader({self.subscriber_id}, {self.subscription_id})"


def segments(
    newsletter: Newsletter, frequency: Frequency = Frequency.WEEKLY
) -> list[tuple[Segment, int]]:
    """Each profile among the newsletter's readers of that rhythm, and how many have it."""
    readers = _reading(newsletter, frequency)
    rows = readers.values_list(*COLUMNS).annotate(readers=Count("pk")).order_by(*COLUMNS)
    return [(_segment(row[:-1]), row[-1]) for row in rows]


def has_readers(newsletter: Newsletter, frequency: Frequency) -> bool:
    return _reading(newsletter, frequency).exists()


def segment_of(subscription: Subscription) -> Segment:
    """The profile of one reader."""
    return _segment(Subscription.objects.values_list(*COLUMNS).get(pk=subscription.pk))


def stream(
    newsletter: Newsletter, frequency: Frequency = Frequency.WEEKLY
) -> Iterator[tuple[Segment, int | None, int]]:
    """(profile, hour of delivery, subscriber id) of each reader of that rhythm, in this order;
    who asks for no hour comes first.

    One statement, so one snapshot; rows are fetched in portions, so memory stays flat.
    """
    rows = (
        _reading(newsletter, frequency)
        .order_by(*COLUMNS, F("preferred_hour").asc(nulls_first=True), "subscriber_id")
        .values_list(*COLUMNS, "preferred_hour", "subscriber_id")
        .iterator(chunk_size=CHUNK)
    )
    last: tuple[Any, ...] = ()
    segment: Segment | None = None
    for row in rows:
        if segment is None or row[:-2] != last:
            last = row[:-2]
            segment = _segment(last)
        yield segment, row[-2], row[-1]


def still_wanted(newsletter_id: int, subscriber_ids: Sequence[int]) -> dict[int, Reader]:
    """The second read, after the permission to send was committed: those of these readers who are
    active, not paused and not suppressed now, by subscriber id. One query; needs a worker's keys.

    Raises SealedError where they are not here, or not all of them."""
    readers = ",".join(map(str, subscriber_ids))
    with prepared_statements.cursor() as cursor:
        cursor.execute(
            _STILL_WANTED[connection.vendor],
            {
                "newsletter": newsletter_id,
                "active": _ACTIVE,
                "today": _today().isoformat(),
                "readers": f"{{{readers}}}"
                if connection.vendor == "postgresql"
                else f"[{readers}]",
            },
        )
        rows = cursor.fetchall()
    opened, found = opener(), {}
    for subscriber_id, pk, language, key, sealed, discreet, public_id in rows:
        try:
            address = opened(key, bytes(sealed), public_id)
        except KeyMissingError:
            raise  # true of many: the caller has to wait for the key
        except SealedError as error:
            # One spoilt row may not keep the others waiting; nobody could mail it.
            log.error("reader-cannot-be-opened", extra={"reader": subscriber_id, "error": error})
            continue
        found[subscriber_id] = Reader(subscriber_id, pk, address, language, bool(discreet))
    return found


_STILL_WANTED_WITH = """SELECT reader.id, subscription.id, reader.language, reader.storage_key,
           reader.sealed_address, subscription.discreet, {public_id}
    FROM subscribers_subscription AS subscription
    JOIN subscribers_subscriber AS reader ON reader.id = subscription.subscriber_id
    WHERE {newsletter} = %(newsletter)s AND subscription.state = %(active)s
    AND (subscription.paused_until IS NULL OR subscription.paused_until <= %(today)s)
    AND subscription.subscriber_id {among}
    AND NOT EXISTS (SELECT 1 FROM subscribers_suppression AS suppression
                    WHERE suppression.address_hash = reader.address_hash)"""
# As `_reading` says it, in SQL: a send-out asks it for each STEP readers, and the ORM takes
# several times as long as the database.
_STILL_WANTED = {
    "postgresql": _STILL_WANTED_WITH.format(
        newsletter="subscription.newsletter_id",
        public_id="uuid_send(reader.public_id)",
        among="= ANY(%(readers)s::bigint[])",
    ),
    "sqlite": _STILL_WANTED_WITH.format(
        # The plus keeps SQLite from going through all the newsletter's readers, by that index,
        # for each STEP of them: it has no figures that would tell it how many there are.
        newsletter="+subscription.newsletter_id",
        public_id="reader.public_id",
        among="IN (SELECT value FROM json_each(%(readers)s))",
    ),
}


def address_of(subscriber: Subscriber) -> str:
    """One reader's address in clear; needs a worker's keys."""
    sealed = Sealed(subscriber.storage_key, bytes(subscriber.sealed_address))
    return open_address(sealed, subscriber.public_id)


def _active() -> QuerySet[Subscription]:
    suppressed = Suppression.objects.filter(address_hash=OuterRef("subscriber__address_hash"))
    return Subscription.objects.filter(~Exists(suppressed), state=Subscription.State.ACTIVE)


def _reading(newsletter: Newsletter, frequency: Frequency) -> QuerySet[Subscription]:
    """A pause ends by its date: nothing has to end it."""
    here = Q(paused_until=None) | Q(paused_until__lte=_today())
    return _active().filter(here, newsletter=newsletter, frequency=frequency)


def _today() -> date:
    return timezone.now().date()


def _segment(columns: Sequence[Any]) -> Segment:
    languages, page_language, topics, content, pictures, plain_text, discreet = columns
    return Segment(
        languages=languages,
        page_language=page_language,
        topics=topics,
        content=content,
        pictures=pictures,
        plain_text=plain_text,
        discreet=discreet,
    )
