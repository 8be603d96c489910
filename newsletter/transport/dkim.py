"""DKIM signatures (RFC 6376, RFC 8463) over compiled editions: relaxed/relaxed, RSA or Ed25519.

What all readers share is canonicalized once per edition. It can be canonicalized segment by
segment because the value of a placeholder contains no whitespace and is on separate lines
(newsletter.transport.quoted_printable), so no run of whitespace spans two segments.
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
"""Header fields that are signed if they are present (A6). From is listed once more than it occurs,
so that adding a second one breaks the signature (RFC 6376, 8.15)."""
_SELECTOR = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_WHITESPACE = re.compile(rb"[ \t]+")
_TRAILING_WHITESPACE = re.compile(rb"[ \t]+(?=\r\n)")
_FIELD_BREAK = re.compile(rb"\r\n(?![ \t])")
_MARKER = re.compile(rb"\0(\d+)\0")

CanonicalSegment = bytes | int
"""Canonical bytes, or the index of the segment to insert there."""


@dataclass(frozen=True)
class Signer:
    """A private key, and the selector under which DNS has its public key."""

    selector: str
    algorithm: str
    sign: Callable[[bytes], bytes] = field(repr=False)


def load_signer(selector: str, path: Path) -> Signer:
    """Load a signing key from a PEM file.

    Raises ValueError for a bad selector, file or key. The text reveals nothing of the key.
    """
    if not _SELECTOR.fullmatch(selector):
        raise ValueError("the selector must be a lower-case name such as 2026a")
    try:
        key: Any = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        raise ValueError(
            "the key file cannot be read; it must be PEM without a passphrase"
        ) from None
    if isinstance(key, Ed25519PrivateKey):
        ed25519 = key
        # Ed25519 signs the hash, not the data (RFC 8463, 3).
        return Signer(
            selector, "ed25519-sha256", lambda d: ed25519.sign(hashlib.sha256(d).digest())
        )
    if isinstance(key, RSAPrivateKey) and key.key_size >= MIN_RSA_BITS:
        rsa = key
        return Signer(selector, "rsa-sha256", lambda d: rsa.sign(d, PKCS1v15(), SHA256()))
    raise ValueError(f"the key is neither Ed25519 nor RSA of {MIN_RSA_BITS} bits or more")


@dataclass(frozen=True)
class EditionSigner:
    """A canonicalized edition, from which each reader's signature is computed."""

    signer: Signer
    head: tuple[CanonicalSegment, ...] = field(repr=False)
    body: tuple[CanonicalSegment, ...] = field(repr=False)
    names: bytes
    domain: bytes

    def signature_header(self, segments: Sequence[bytes]) -> bytes:
        """Return the DKIM-Signature header, with its CR LF, for a message's filled segments."""
        body = hashlib.sha256()
        for part in self.body:
            body.update(part if isinstance(part, bytes) else segments[part])
        tags = b"v=1; a=%b; c=relaxed/relaxed; d=%b; s=%b; t=%d; h=%b; bh=%b; b=" % (
            self.signer.algorithm.encode(),
            self.domain,
            self.signer.selector.encode(),
            int(time()),
            self.names,
            b64encode(body.digest()),
        )
        head = b"".join([p if isinstance(p, bytes) else segments[p] for p in self.head])
        signature = b64encode(self.signer.sign(head + b"dkim-signature:" + tags))
        lines = [signature[at : at + 72] for at in range(0, len(signature), 72)]
        # Relaxed canonicalization turns each fold back into the one space that `tags` has.
        folded = tags.replace(b"; h=", b";\r\n h=").replace(b"; bh=", b";\r\n bh=")
        folded = folded.replace(b"; b=", b";\r\n b=")
        return b"DKIM-Signature: " + folded + b"\r\n ".join(lines) + b"\r\n"


def edition_signer(
    segments: Sequence[bytes | object], *, domain: str, signer: Signer
) -> EditionSigner:
    """Canonicalize an edition's segments. Those that aren't bytes are filled for each reader."""
    whole = b"".join(
        segment if isinstance(segment, bytes) else b"\0%d\0" % index
        for index, segment in enumerate(segments)
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
    """Canonicalize a body (RFC 6376, 3.4.4)."""
    body = _WHITESPACE.sub(b" ", _TRAILING_WHITESPACE.sub(b"", body))
    stripped = body.rstrip(b"\r\n")
    return stripped + b"\r\n" if stripped else b""


def _relaxed_fields(head: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the canonical name and value of each header field (RFC 6376, 3.4.2)."""
    for line in _FIELD_BREAK.split(head):
        name, _, value = line.partition(b":")
        yield name.strip().lower(), _WHITESPACE.sub(b" ", value.replace(b"\r\n", b"")).strip(b" ")


def _split_at_markers(canonical: bytes) -> tuple[CanonicalSegment, ...]:
    return tuple(
        int(text) if index % 2 else text
        for index, text in enumerate(_MARKER.split(canonical))
        if index % 2 or text
    )
