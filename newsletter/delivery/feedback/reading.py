"""Read sealed POSTs in a worker: Anymail parses them, and each event becomes a Feedback.

The reader is found by our own delivery ID in the provider's metadata. An event without one, or a
delivery ID that several recipients share, is told apart by the recipient's keyed hash. Addresses
stay in this process's memory: nothing here logs, stores or raises any part of an event.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from anymail.signals import AnymailTrackingEvent

from newsletter.delivery.feedback import sns
from newsletter.delivery.feedback.dialects import dialect
from newsletter.delivery.feedback.events import Feedback, event_key
from newsletter.delivery.feedback.facts import Facts, Happened, facts_of
from newsletter.delivery.feedback.posts import Post
from newsletter.delivery.feedback.providers import HOOKS, parser
from newsletter.delivery.feedback.record import record_many
from newsletter.delivery.message_ids import MAILING, MessageTrace, parse_delivery_id
from subscribers.addresses import AddressError, normalise
from subscribers.crypto.sealing import address_hashes
from subscribers.models import Subscriber

log = logging.getLogger(__name__)


class UnreadableError(Exception):
    """A POST or an event can't be read. The message is the name of an exception."""


class _Event(NamedTuple):
    """An event that concerns us, before its reader is known. It contains an address."""

    provider: str
    parsed: Any
    facts: Facts
    post: Post
    trace: MessageTrace | None
    is_shared: bool
    """Whether several recipients have this delivery ID."""


def handle_posts(items: Sequence[Mapping[str, Any]]) -> int:
    """Record what opened intake items report, in their transaction; return how many events were
    new. Raises UnreadableError."""
    return record_many(read_posts(items))


def read_posts(items: Iterable[Mapping[str, Any]]) -> list[Feedback]:
    """Return what opened intake items report. Raises UnreadableError."""
    events = [event for item in items for event in _read_post(Post.of_data(item))]
    readers = _readers_by_address(
        event.parsed.recipient for event in events if event.trace is None or event.is_shared
    )
    return [_feedback(event, readers) for event in events]


def _read_post(post: Post) -> list[_Event]:
    if post.provider == "amazon_ses" and sns.confirm_if_asked(post.body):
        return []
    parsed = _parse(post)
    delivery_ids = Counter(_delivery_id(event) for event in parsed)
    found = []
    for event in parsed:
        facts = _facts(post.provider, event)
        if facts is not None:
            text = _delivery_id(event)
            trace = parse_delivery_id(text) if text else None
            is_shared = delivery_ids[text] > 1 and len({e.recipient for e in parsed}) > 1
            found.append(_Event(post.provider, event, facts, post, trace, is_shared))
    return found


def _parse(post: Post) -> list[Any]:
    """Return Anymail's tracking events. One that can't be read doesn't hold up the others."""
    try:
        return _parse_whole(post)
    except Exception as error:  # noqa: BLE001 - it may quote the body
        reason = type(error).__name__
    parts = _split(post.body)
    events: list[Any] = []
    for part in parts:
        try:
            events += _parse_whole(replace(post, body=part))
        except Exception as error:  # noqa: BLE001
            _log_unreadable(post.provider, error)
    if not parts:
        raise UnreadableError(reason) from None
    return events


def _parse_whole(post: Post) -> list[Any]:
    events = parser(post.provider).parse_events(post.as_request())
    return [event for event in events if isinstance(event, AnymailTrackingEvent)]


def _split(body: bytes) -> list[bytes]:
    """Split a JSON array, or Mailtrap's object around one, into bodies with one event each."""
    try:
        data = json.loads(body)
    except ValueError:
        return []
    if isinstance(data, list) and len(data) > 1:
        return [json.dumps([each]).encode() for each in data]
    if isinstance(data, dict) and isinstance(data.get("events"), list) and len(data["events"]) > 1:
        return [json.dumps({"events": [each]}).encode() for each in data["events"]]
    return []


def _facts(provider: str, event: Any) -> Facts | None:
    """Return the event's facts; None if it doesn't concern us or can't be read."""
    try:
        reading = dialect(provider)(event.esp_event, event.recipient)
        if reading is None:
            return None
        if reading.happened is Happened.DELAYED and not HOOKS[provider].says_delivered:
            return None
        return facts_of(reading)
    except Exception as error:  # noqa: BLE001 - it may quote the event
        _log_unreadable(provider, error)
        return None


def _log_unreadable(provider: str, error: Exception) -> None:
    facts = {"provider": provider, "reason": type(error).__name__}
    log.error("webhook-event-unreadable", extra=facts)


def _delivery_id(event: Any) -> str:
    metadata = event.metadata
    found = metadata.get("delivery_id") if isinstance(metadata, dict) else None
    return found if isinstance(found, str) else ""


def _readers_by_address(addresses: Iterable[str | None]) -> dict[str, int]:
    """Return the IDs of the readers who have these addresses. Needs the worker's keys."""
    hashes: dict[bytes, str] = {}
    for address in {each for each in addresses if each}:
        try:
            normal = normalise(address)
        except AddressError:
            continue
        hashes |= {hashed.digest: address for hashed in address_hashes(normal)}
    digests, found = list(hashes), {}
    for start in range(0, len(digests), 500):
        rows = Subscriber.objects.filter(address_hash__in=digests[start : start + 500])
        for digest, pk in rows.values_list("address_hash", "pk"):
            found[hashes[bytes(digest)]] = pk
    return found


def _feedback(event: _Event, readers: Mapping[str, int]) -> Feedback:
    parsed, trace = event.parsed, event.trace
    reader = readers.get(parsed.recipient or "")
    if trace is not None and event.is_shared:
        trace = trace._replace(subscriber_id=reader) if reader and trace.kind == MAILING else None
    if trace is not None:
        reader = trace.subscriber_id
    at = parsed.timestamp or event.post.received_at
    message_id = str(parsed.message_id or "")
    identity = str(parsed.event_id or f"{message_id} {at.isoformat()}")
    return Feedback(
        source=event.provider,
        kind=event.facts.kind,
        # Not the recipient's address, whose hash could be guessed (G7).
        key=event_key(
            event.provider, identity, recipient=str(reader or ""), kind=event.facts.kind.value
        ),
        at=at,
        trace=trace,
        # One of several recipients who isn't known mustn't be taken for another one.
        message_id="" if event.is_shared and reader is None else message_id,
        subscriber_id=reader,
        code=event.facts.code,
        status=event.facts.status,
        fault=event.facts.fault,
    )
