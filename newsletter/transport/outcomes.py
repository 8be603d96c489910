"""The vocabulary that all transports share: an email, its recipients, and each one's result."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import NamedTuple


class Result(IntEnum):
    """One byte per reader in a batch; the same numbers in Outcome.result. Never renumber."""

    NONE = 0
    """Nothing has been recorded yet."""
    SENT = 1
    """The relay or provider took responsibility (RFC 5321, 4.2.5: 250 after the final dot)."""
    REFUSED = 2
    """Permanently refused because of this recipient (5xx to RCPT, rejected by the provider)."""
    FAILED = 3
    """Permanently refused for another reason, or deferred until the time to retry ran out."""
    SKIPPED = 4
    """Deliberately not handed over: the reader unsubscribed, or there is nothing to read."""
    DEFERRED = 5
    """Temporarily refused (4xx, 429, a connection lost before hand-over): retried later."""
    UNKNOWN = 6
    """May have been accepted. Reported as unknown rather than guessed."""


class Fault(StrEnum):
    """Whose fault a refusal is (D7). The values are stored: never rename them."""

    NONE = ""
    """Nothing was refused, or nobody can tell why."""
    READER = "reader"
    """The recipient's mailbox: the only fault that may suppress a reader."""
    MESSAGE = "message"
    """What is being sent: too large, malformed, taken for spam."""
    SENDER = "sender"
    """The sending account: its address, its authentication, a quota, an unpaid bill."""
    RELAY = "relay"
    """The relay or provider: it is broken, or set up in a way that doesn't let it help us."""
    SPEED = "speed"
    """Sent too fast, or over too many connections: slow down and try again."""


class SendResult(NamedTuple):
    """What became of one recipient's message.

    `position` is the recipient's, `code` the SMTP or HTTP reply code and `status` the enhanced
    status (RFC 3463). The text of the reply is not kept, because it echoes addresses (G1); what
    it said is in `fault`.
    """

    position: int
    result: Result
    code: int | None = None
    status: str = ""
    message_id: str = ""
    """The provider's ID of the message, if it returns one."""
    fault: Fault = Fault.NONE
    """Whose fault it is that the message wasn't accepted."""


class TransportDownError(Exception):
    """The relay or provider cannot be used now.

    Recipients for whom the transport yielded nothing before raising this were provably not
    handed over. `reason` names no recipient; `retry_after` is in seconds. A `fault` of SENDER or
    MESSAGE doesn't go away by waiting: somebody has to act, so the mailing is held.
    """

    def __init__(
        self,
        reason: str,
        *,
        code: int | None = None,
        status: str = "",
        fault: Fault = Fault.RELAY,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.status = status
        self.fault = fault
        self.retry_after = retry_after


@dataclass(frozen=True)
class Image:
    """An inline image; HTML refers to it as `cid:…`."""

    cid: str
    content: bytes = field(repr=False)
    type: str


@dataclass(frozen=True)
class Email:
    """What all readers of an edition get, with placeholders for what differs.

    `headers` are sent as they are; a placeholder in one is filled (List-Unsubscribe). `html` is
    "" for a text-only email. The transport adds Date, Message-ID, To, the MIME headers and the
    envelope. See newsletter.lib.placeholders.
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
    """One recipient of an email.

    `delivery_id` is opaque (at most 40 letters and digits): the left part of the Message-ID, and
    the provider's metadata. `urls` maps a placeholder's name to this reader's URL. The repr shows
    neither these nor the address.
    """

    position: int
    address: str
    delivery_id: str
    urls: dict[str, str]

    def __repr__(self) -> str:
        return f"Recipient(position={self.position}, delivery_id={self.delivery_id!r})"
