"""DKIM signatures (RFC 6376, RFC 8463) over compiled editions: relaxed/relaxed, RSA or Ed25519.

What is the same for all readers is canonicalised once per edition. That may be done piece by
piece: what fills a place holds no white space, and stands on lines of its own
(newsletter.transport.quoted_printable), so that no run of white space reaches across two pieces.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import time
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

MIN_RSA_BITS = 2048
SIGNED_HEADERS = (
    *(b"from", b"to", b"subject", b"date", b"message-id", b"reply-to"),
    *(b"list-id", b"list-unsubscribe", b"list-unsubscribe-post", b"feedback-id"),
    *(b"content-language", b"mime-version", b"content-type"),
)
"""Header fields that are signed where they stand (A6). From is named once more than it stands, so
that a second one breaks the signature (RFC 6376, 8.15)."""
_SELECTOR = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_WHITESPACE = re.compile(rb"[ \t]+")
_TRAILING_WHITESPACE = re.compile(rb"[ \t]+(?=\r\n)")
_FIELD_BREAK = re.compile(rb"\r\n(?![ \t])")
_MARKER = re.compile(rb"\0(\d+)\0")

CanonicalSegment = bytes | int
"""Canonical bytes, or the index of the piece that goes there."""


@dataclass(frozen=True)
class Signer:
    """A key with the selector under which its public half is found in DNS."""

    selector: str
    algorithm: str
    sign: Callable[[bytes], bytes] = field(repr=False)


def load_signer(selector: str, path: Path) -> Signer:
    """Raises ValueError, whose text shows nothing of the key."""
    if not _SELECTOR.fullmatch(selector):
        raise ValueError("the selector is a name such as 2026a, in lower case")
    try:
        key: Any = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        raise ValueError("the key file cannot be read: PEM without a passphrase") from None
    if isinstance(key, Ed25519PrivateKey):
        signing = key
        # RFC 8463, 3: it is the hash that is signed.
        return Signer(
            selector, "ed25519-sha256", lambda d: signing.sign(hashlib.sha256(d).digest())
        )
    if isinstance(key, RSAPrivateKey) and key.key_size >= MIN_RSA_BITS:
        rsa = key
        return Signer(selector, "rsa-sha256", lambda d: rsa.sign(d, PKCS1v15(), SHA256()))
    raise ValueError(f"the key is neither Ed25519 nor RSA of {MIN_RSA_BITS} bits or more")


@dataclass(frozen=True)
class EditionSigner:
    """An edition made ready for signing; `of` gives the header field for one reader's message."""

    signer: Signer
    head: tuple[CanonicalSegment, ...] = field(repr=False)
    body: tuple[CanonicalSegment, ...] = field(repr=False)
    names: bytes
    domain: bytes

    def of(self, pieces: Sequence[bytes]) -> bytes:
        """`DKIM-Signature: …` with its CR LF, for the filled pieces of a message."""
        body = hashlib.sha256()
        for part in self.body:
            body.update(part if isinstance(part, bytes) else pieces[part])
        tags = b"v=1; a=%b; c=relaxed/relaxed; d=%b; s=%b; t=%d; h=%b; bh=%b; b=" % (
            self.signer.algorithm.encode(),
            self.domain,
            self.signer.selector.encode(),
            int(time()),
            self.names,
            b64encode(body.digest()),
        )
        head = b"".join([p if isinstance(p, bytes) else pieces[p] for p in self.head])
        signature = b64encode(self.signer.sign(head + b"dkim-signature:" + tags))
        lines = [signature[at : at + 72] for at in range(0, len(signature), 72)]
        # The folds are what relaxed canonicalisation turns back into the one space of `tags`.
        folded = tags.replace(b"; h=", b";\r\n h=").replace(b"; bh=", b";\r\n bh=")
        folded = folded.replace(b"; b=", b";\r\n b=")
        return b"DKIM-Signature: " + folded + b"\r\n ".join(lines) + b"\r\n"


def edition_signer(
    pieces: Sequence[bytes | object], *, domain: str, signer: Signer
) -> EditionSigner:
    """Canonicalise an edition's pieces; whatever is no bytes is filled for each reader."""
    whole = b"".join(
        piece if isinstance(piece, bytes) else b"\0%d\0" % index
        for index, piece in enumerate(pieces)
    )
    head, _, body = whole.partition(b"\r\n\r\n")
    fields = dict(_relaxed_fields(head))
    names = [name for name in SIGNED_HEADERS if name in fields]
    lines = b"".join(b"%b:%b\r\n" % (name, fields[name]) for name in names)
    return EditionSigner(
        signer=signer,
        head=_split_at_markers(lines),
        body=_split_at_markers(relaxed_body(body)),
        names=b":".join([*names, b"from"]),
        domain=domain.encode("ascii"),
    )


def relaxed_body(body: bytes) -> bytes:
    """RFC 6376, 3.4.4."""
    body = _WHITESPACE.sub(b" ", _TRAILING_WHITESPACE.sub(b"", body))
    stripped = body.rstrip(b"\r\n")
    return stripped + b"\r\n" if stripped else b""


def _relaxed_fields(head: bytes) -> Iterator[tuple[bytes, bytes]]:
    """RFC 6376, 3.4.2: name and value of each field."""
    for line in _FIELD_BREAK.split(head):
        name, _, value = line.partition(b":")
        yield name.strip().lower(), _WHITESPACE.sub(b" ", value.replace(b"\r\n", b"")).strip(b" ")


def _split_at_markers(canonical: bytes) -> tuple[CanonicalSegment, ...]:
    return tuple(
        int(text) if index % 2 else text
        for index, text in enumerate(_MARKER.split(canonical))
        if index % 2 or text
    )
