"""What a provider, or a mailbox for bounces, tells us about an email after it was handed over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from newsletter.delivery.message_ids import MessageTrace
from newsletter.delivery.models import Event
from newsletter.transport.outcomes import Fault


@dataclass(frozen=True)
class Feedback:
    """One report about one recipient, in our own vocabulary.

    `source` is the provider's name in Anymail ("mailgun"), or "mail" for a report by email. `key`
    identifies the event, so that it counts once however often it arrives (D10); `event_key` makes
    it. `trace` is the email that the report is about; without it, `message_id` (the provider's)
    may lead there. `subscriber_id` is the reader, if the report names one of them by address.
    Nothing here contains an address.
    """

    source: str
    kind: Event.Kind
    key: bytes
    at: datetime
    trace: MessageTrace | None = None
    message_id: str = ""
    subscriber_id: int | None = None
    code: int | None = None
    status: str = ""
    fault: Fault = Fault.NONE


def event_key(source: str, identity: str, *, recipient: str, kind: str) -> bytes:
    """Return the 32 bytes that identify an event (D10).

    `identity` is the provider's ID of the event, or its message ID and timestamp for a provider
    that has none. The recipient is part of it, because one event may cover several readers. Pass
    something keyed that stands for the recipient, such as the delivery ID: a hash of a plain
    address could be guessed (G7).
    """
    digest = blake2b(digest_size=32)
    for part in (source, identity, recipient, kind):
        digest.update(b"%d:%b" % (len(part.encode()), part.encode()))
    return digest.digest()
