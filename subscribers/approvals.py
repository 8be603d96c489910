"""Exports that need two people: what they sign, and whether they did.

An approver signs, on a machine of their own, the statement of one export (Ed25519). The host that
holds the worker's keys verifies it with the public keys fixed in its configuration, and takes
what is exported from the signed statement, not from the row beside it: neither the database nor
the web host can approve an export, change one, or bring an old one back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from nacl.exceptions import CryptoError
from nacl.signing import SigningKey, VerifyKey

NEEDED = 2
LIFETIME = timedelta(hours=24)
CONTEXT = b"TYDZEN-EXPORT-APPROVAL-1\n"
"""Signed ahead of the statement, so that no other text which a key signs is taken for one."""


class NotApproved(Exception):  # noqa: N818 - names the condition
    """The export is not made; the text says why."""


@dataclass(frozen=True)
class Statement:
    """What an approver agrees to."""

    export: str
    """The id of the one export: it is made once."""
    newsletter: str
    """Its short name."""
    purpose: str
    at_most: int
    """Readers; where the list has more, it is not exported."""
    recipient: str
    """X25519 public key, in hexadecimal, that the list is sealed for."""
    until: str
    """ISO 8601 with offset; at most LIFETIME ahead."""

    def text(self) -> str:
        """The one form that is signed."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)


def read(text: str) -> Statement:
    """The statement of a text. Raises NotApproved where it is none, or not in the one form."""
    try:
        data = json.loads(text)
        statement = Statement(**data)
        until = datetime.fromisoformat(statement.until)
    except (TypeError, ValueError):
        raise NotApproved("This is no request of an export") from None
    if statement.text() != text or until.tzinfo is None or not isinstance(statement.at_most, int):
        raise NotApproved("This request was changed")
    # An approver reads it on a terminal: it may not draw something else there.
    if not all(str(value).isprintable() for value in asdict(statement).values()):
        raise NotApproved("This request holds control characters")
    return statement


def sign(text: str, private: bytes) -> str:
    """An approver's signature in hexadecimal; `private` is an Ed25519 seed of 32 bytes. Raises
    NotApproved for what is no statement."""
    read(text)
    return SigningKey(private).sign(CONTEXT + text.encode()).signature.hex()


def signed_by(text: str, signatures: Iterable[str], approvers: Mapping[str, bytes]) -> list[str]:
    """Names of those whose signature of the text is among them, each once."""
    known = list(signatures)
    return [
        name for name, key in approvers.items() if any(_is_of(key, text, each) for each in known)
    ]


def demand(
    text: str,
    signatures: Iterable[str],
    *,
    approvers: Mapping[str, bytes],
    export: str,
    recipient: bytes,
    now: datetime,
) -> tuple[Statement, list[str]]:
    """The statement and its approvers' names, where two of them signed it and it is for this
    export, this recipient and this day. Raises NotApproved."""
    names = signed_by(text, signatures, approvers)
    if len(names) < NEEDED:
        raise NotApproved(f"{len(names)} of {NEEDED} approvals: {', '.join(names) or 'nobody'}")
    statement = read(text)
    if statement.export != export:
        raise NotApproved("What was approved is another export")
    if statement.recipient != recipient.hex():
        raise NotApproved("It was approved for another EXPORT_RECIPIENT")
    until = datetime.fromisoformat(statement.until)
    if not now < until <= now + LIFETIME:
        raise NotApproved(f"It was approved until {statement.until}: ask again")
    return statement, names


def _is_of(key: bytes, text: str, signature: str) -> bool:
    try:
        VerifyKey(key).verify(CONTEXT + text.encode(), bytes.fromhex(signature))
    except (CryptoError, TypeError, ValueError):
        return False
    return True
