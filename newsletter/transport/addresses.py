"""What a transport accepts as an address: ASCII alone, in one line, with an ACE domain."""

from __future__ import annotations

import re

import idna

_LOCAL_PART = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_ADDRESS = re.compile(rf"{_LOCAL_PART}@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")

NEEDS_SMTPUTF8 = "5.6.7"
"""RFC 6531, 3.5: non-ASCII addresses are not permitted here."""


_PLAIN_OCTETS = bytes(range(48, 58)) + bytes(range(97, 123)) + b"-._+"
_DOMAIN_EDGE_OCTETS = _PLAIN_OCTETS[:36]


def plain_address(address: str) -> bytes | None:
    """An address of the usual form, as it is; None for one that `ace` has to look at.

    A send-out asks for every reader: this takes a tenth of the time.
    """
    raw = address.encode("ascii", "replace")
    local, _, domain = raw.partition(b"@")
    if (
        local.translate(None, _PLAIN_OCTETS)
        or domain.translate(None, _PLAIN_OCTETS)
        or len(raw) > 254
        or not local
        or not domain
        or b".." in raw
        or local[0] == 46
        or local[-1] == 46
        or domain[0] not in _DOMAIN_EDGE_OCTETS
        or domain[-1] not in _DOMAIN_EDGE_OCTETS
        or b"+" in domain
        or b"_" in domain
    ):
        return None
    return raw


def to_ace(address: str) -> str | None:
    """The address with its domain in lower-case ACE; None where it cannot be written so.

    A local part beyond ASCII would need SMTPUTF8, and one in quotes is found in forged lists
    only: neither is handed over. RFC 5321, 4.5.3.1: at most 254 octets.
    """
    local, _, domain = address.rpartition("@")
    try:
        domain = domain.lower() if domain.isascii() else idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        return None
    written = f"{local}@{domain}"
    return written if len(written) <= 254 and _ADDRESS.fullmatch(written) else None
