"""Anymail's payloads, without parsing addresses that are known to be plain.

Anymail parses every recipient's address twice, which takes more than half of the time of a batch.
Ours were checked at sign-up, so one that is only a dot-atom and a domain (RFC 5322, 3.4.1) is split
at its “@”. Any other is parsed by Anymail.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from anymail.utils import EmailAddress, parse_address_list

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_PLAIN = re.compile(rf"({_ATOM}(?:\.{_ATOM})*)@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)")


def build(backend: Any, message: Any, payload_class: Any) -> Any:
    """Build the payload as `backend.build_message_payload` does.

    `payload_class` is what that method has built for the same edition.
    """
    return _with_plain_addresses(payload_class)(message=message, defaults={}, backend=backend)


def addresses(texts: Iterable[str]) -> list[EmailAddress]:
    """Return the addresses; raises AnymailInvalidAddress."""
    found: list[EmailAddress] = []
    for text in texts:
        plain = _PLAIN.fullmatch(text)
        if plain is None:
            found += parse_address_list([text], field="to")
        else:
            found.append(EmailAddress(username=plain[1], domain=plain[2]))
    return found


@cache
def _with_plain_addresses(payload_class: Any) -> Any:
    attributes = tuple(
        (name, combine, addresses if name == "to" else convert)
        for name, combine, convert in payload_class.base_message_attrs
    )
    return type(payload_class.__name__, (payload_class,), {"base_message_attrs": attributes})
