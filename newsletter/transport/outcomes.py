"""The one vocabulary of what became of a message, and the decisions that follow. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal, NamedTuple


class Result(IntEnum):
    """One byte per reader in a batch; the same numbers in Outcome.result. Never renumber."""

    NONE = 0
    """Nothing was recorded yet."""
    SENT = 1
    """The relay or provider took responsibility (RFC 5321, 4.2.5: 250 after the final dot)."""
    REFUSED = 2
    """Refused for good because of this recipient (5xx to RCPT, rejected by the provider)."""
    FAILED = 3
    """Given up: refused for good for another reason, or for now until time ran out."""
    SKIPPED = 4
    """Not handed over on purpose: the reader left meanwhile, or nothing is there to read."""
    DEFERRED = 5
    """Refused for now (4xx, 429, a connection lost before hand-over): goes on later."""
    UNKNOWN = 6
    """May have been taken; what cannot be known is declared, not guessed."""


class SendResult(NamedTuple):
    """What one reader's message came to. The reply's text is not kept: it echoes addresses (G1).

    `position` is the recipient's; `code` the SMTP or HTTP reply code; `status` RFC 3463's.
    """

    position: int
    result: Result
    code: int | None = None
    status: str = ""
    message_id: str = ""
    """The provider's, where it gives one."""


class TransportDownError(Exception):
    """The relay or provider cannot be used now.

    Recipients for whom the transport yielded nothing before raising this were provably not
    handed over. `reason` names no recipient.
    """

    def __init__(
        self, reason: str, *, code: int | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.retry_after = retry_after


@dataclass(frozen=True)
class Image:
    cid: str
    content: bytes = field(repr=False)
    type: str


@dataclass(frozen=True)
class Email:
    """What all readers of an edition get, with places (newsletter.lib.placeholders) for what differs.

    `headers` go out as they are, the same for each reader; a place in one is filled
    (List-Unsubscribe). `html` is "" for text only. Date, Message-ID, To, MIME headers and the
    envelope are the transport's.
    """

    from_name: str
    from_address: str
    subject: str
    text: str
    html: str = ""
    reply_to: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    images: tuple[Image, ...] = ()


class Recipient(NamedTuple):
    """`delivery_id` is opaque (letters, digits, at most 40): the Message-ID's left part and the
    provider's metadata. `places` maps a Place's value to the reader's URL. Neither these nor the
    address show themselves."""

    position: int
    address: str
    delivery_id: str
    urls: dict[str, str]

    def __repr__(self) -> str:
        return f"Recipient(position={self.position}, delivery_id={self.delivery_id!r})"


Severity = Literal["permanent", "temporary"]
