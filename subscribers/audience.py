"""Select who gets an issue: readers by segment, streamed, and the second read before sending."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from django.db import connection
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from newsletter.digest import content
from newsletter.editorial.models import Newsletter
from newsletter.lib import prepared_statements
from subscribers.crypto.sealing import (
    Ciphertext,
    KeyMissingError,
    SealedError,
    address_opener,
    open_address,
)
from subscribers.models import Subscriber, Subscription, Suppression

log = logging.getLogger(__name__)
Frequency = Subscription.Frequency
State = Subscription.State

COLUMNS = (
    "languages",
    "subscriber__language",
    "topics",
    "content",
    "pictures",
    "plain_text",
    "discreet",
)
"""The columns of a Segment, in the order of its fields."""
CHUNK_SIZE = 1000


@dataclass(frozen=True)
class Segment:
    """Preferences that readers share. `topics` is None for all topics; `content` is "lead",
    "full", or "" for the newsletter's default."""

    languages: tuple[str, ...]
    page_language: str
    topics: frozenset[int] | None
    content: str
    pictures: bool
    plain_text: bool
    discreet: bool


class Reader(NamedTuple):
    """A reader at the moment of sending. The repr hides the address, because it ends up in logs."""

    subscriber_id: int
    subscription_id: int
    address: str
    language: str
    discreet: bool = False

    def __repr__(self) -> str:
        return f"Reader({self.subscriber_id}, {self.subscription_id})"


def segments(
    newsletter: Newsletter,
    frequency: Frequency = Frequency.WEEKLY,
    *,
    among: Exists | None = None,
) -> list[tuple[Segment, int]]:
    """Return each segment of the newsletter's readers with this frequency, and its size.

    `among` is a condition on a Subscription that narrows down which of them are counted.
    """
    readers = _readers(newsletter, frequency)
    if among is not None:
        readers = readers.filter(among)
    rows = readers.values_list(*COLUMNS)
    counted = rows.annotate(readers=Count("pk")).order_by(*COLUMNS)
    return [(Segment(*columns), readers) for *columns, readers in counted]


def has_readers(newsletter: Newsletter, frequency: Frequency) -> bool:
    """Return whether the newsletter has any reader with this frequency."""
    return _readers(newsletter, frequency).exists()


def segment_of(subscription: Subscription) -> Segment:
    """Return the segment of one reader."""
    return Segment(*Subscription.objects.values_list(*COLUMNS).get(pk=subscription.pk))


def stream(
    newsletter: Newsletter, frequency: Frequency = Frequency.WEEKLY
) -> Iterator[tuple[Segment, int | None, int]]:
    """Yield (segment, preferred hour, subscriber ID) of each reader, in this order; readers
    without a preferred hour come first.

    One statement makes one snapshot; rows are fetched in chunks, so memory use stays flat.
    """
    rows = (
        _readers(newsletter, frequency)
        .order_by(*COLUMNS, F("preferred_hour").asc(nulls_first=True), "subscriber_id")
        .values_list(*COLUMNS, "preferred_hour", "subscriber_id")
        .iterator(chunk_size=CHUNK_SIZE)
    )
    last: list[object] = []
    segment: Segment | None = None
    for *columns, hour, subscriber_id in rows:
        if segment is None or columns != last:
            last, segment = columns, Segment(*columns)
        yield segment, hour, subscriber_id


def still_wanted(newsletter_id: int, subscriber_ids: Sequence[int]) -> dict[int, Reader]:
    """Return those of these readers who are active, not paused and not suppressed, by subscriber
    ID. This is the second read, after the permission to send was committed. One query.

    Raises SealedError if the worker's keys, or some of them, are missing."""
    ids, is_postgresql = ",".join(map(str, subscriber_ids)), connection.vendor == "postgresql"
    with prepared_statements.cursor() as cursor:
        cursor.execute(
            _STILL_WANTED[connection.vendor],
            {
                "newsletter": newsletter_id,
                "active": State.ACTIVE.value,
                "today": _today().isoformat(),
                "readers": f"{{{ids}}}" if is_postgresql else f"[{ids}]",
            },
        )
        rows = cursor.fetchall()
    open_one, found = address_opener(), {}
    for subscriber_id, pk, language, key, sealed, discreet, public_id in rows:
        try:
            address = open_one(key, bytes(sealed), public_id)
        except KeyMissingError:
            raise  # it affects many readers, so the caller has to wait for the key
        except SealedError as error:
            # A damaged row can't be emailed, and mustn't hold up the other readers.
            log.error("reader-cannot-be-opened", extra={"reader": subscriber_id, "error": error})
            continue
        found[subscriber_id] = Reader(subscriber_id, pk, address, language, bool(discreet))
    return found


# The same condition as in `_readers`, in SQL: a mailing runs it for each STEP readers, and the ORM
# takes several times as long as the database.
_STILL_WANTED_TEMPLATE = """SELECT reader.id, subscription.id, reader.language, reader.storage_key,
           reader.sealed_address, subscription.discreet, {public_id}
    FROM subscribers_subscription AS subscription
    JOIN subscribers_subscriber AS reader ON reader.id = subscription.subscriber_id
    WHERE {newsletter} = %(newsletter)s AND subscription.state = %(active)s
    AND (subscription.paused_until IS NULL OR subscription.paused_until <= %(today)s)
    AND subscription.subscriber_id {among}
    AND NOT EXISTS (SELECT 1 FROM subscribers_suppression AS suppression
                    WHERE suppression.address_hash = reader.address_hash)"""
_STILL_WANTED = {
    "postgresql": _STILL_WANTED_TEMPLATE.format(
        newsletter="subscription.newsletter_id",
        public_id="uuid_send(reader.public_id)",
        among="= ANY(%(readers)s::bigint[])",
    ),
    "sqlite": _STILL_WANTED_TEMPLATE.format(
        # SQLite has no statistics on the size of a newsletter. The plus keeps it from scanning all
        # of its readers by that index for each STEP of them.
        newsletter="+subscription.newsletter_id",
        public_id="reader.public_id",
        among="IN (SELECT value FROM json_each(%(readers)s))",
    ),
}


def address_of(subscriber: Subscriber) -> str:
    """Decrypt one reader's address. Needs the worker's keys."""
    sealed = Ciphertext(subscriber.storage_key, bytes(subscriber.sealed_address))
    return open_address(sealed, subscriber.public_id)


def _readers(newsletter: Newsletter, frequency: Frequency) -> QuerySet[Subscription]:
    suppressed = Suppression.objects.filter(address_hash=OuterRef("subscriber__address_hash"))
    return Subscription.objects.filter(
        ~Exists(suppressed),
        # A pause ends by its date, without any job.
        Q(paused_until=None) | Q(paused_until__lte=_today()),
        state=State.ACTIVE,
        newsletter=newsletter,
        frequency=frequency,
    )


def _today() -> date:
    return timezone.now().date()


# --- Options of an edition --------------------------------------------------------------------
def edition_options(segment: Segment, newsletter: Newsletter) -> content.EditionOptions:
    """Return a segment's options, with the newsletter's defaults filled in."""
    full = Newsletter.Content.FULL
    # A discreet email has no link to the site, so it contains the full texts.
    length = full if segment.discreet else segment.content or newsletter.content
    return content.EditionOptions(
        chain=segment.languages,
        page_language=segment.page_language,
        topics=segment.topics,
        length="full" if length == full else "lead",
        pictures=_pictures(segment, newsletter),
        plain_text=segment.plain_text,
        discreet=segment.discreet,
    )


def _pictures(segment: Segment, newsletter: Newsletter) -> content.Pictures:
    if segment.pictures and not segment.plain_text and not segment.discreet:
        match newsletter.pictures:
            case "embedded" | "linked" as pictures:
                return pictures
    return "none"
