"""A transport's URL in its parts. No error shows anything of it but names of options."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from newsletter.transport.base import TransportURLError

_SCHEME = re.compile(r"[a-z][a-z0-9+_-]*")


@dataclass(frozen=True, repr=False)
class TransportURL:
    """Percent-decoded. `port` is 0 where none was given."""

    scheme: str
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = ""
    path: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    def only(self, known: Set[str]) -> None:
        """Raises TransportURLError where an option is none of `known`."""
        unknown = sorted(set(self.options) - known)
        if unknown:
            raise TransportURLError(
                f"{self.scheme}: unknown option {', '.join(unknown)}; "
                f"known are {', '.join(sorted(known)) or 'none'}"
            )

    def number(self, name: str, *, default: int, least: int, most: int) -> int:
        text = self.options.get(name, str(default))
        if not text.isascii() or not text.isdecimal() or not least <= int(text) <= most:
            raise TransportURLError(
                f"{self.scheme}: {name} is a whole number from {least} to {most}"
            )
        return int(text)


def parse(url: str) -> TransportURL:
    """Raises TransportURLError."""
    scheme, separator, rest = url.strip().partition("://")
    if not separator or not _SCHEME.fullmatch(scheme):
        raise TransportURLError("not of the form scheme://…")
    try:
        # A scheme may not hold the "_" of amazon_ses; the parser gets one that it knows.
        parts = urlsplit(f"smtp://{rest}")
        port = parts.port
        host = parts.hostname or ""
    except ValueError:
        raise TransportURLError(f"{scheme}: the host or the port is malformed") from None
    if port == 0 or parts.fragment or "@" in parts.path + parts.query:
        # A "#", "/" or "?" in a password ends the host early.
        raise TransportURLError(f"{scheme}: malformed; percent-encode what a password holds")
    return TransportURL(
        scheme=scheme,
        host=host,
        port=port or 0,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        path=parts.path,
        options=_options(scheme, parts.query),
    )


def _options(scheme: str, query: str) -> dict[str, str]:
    try:
        # A "+" is meant as it is: API keys hold it, and nothing here holds a space.
        pairs = parse_qsl(
            query.replace("+", "%2B"), keep_blank_values=True, strict_parsing=bool(query)
        )
    except ValueError:
        raise TransportURLError(f"{scheme}: options are written name=value&name=value") from None
    options = dict(pairs)
    if len(options) != len(pairs):
        raise TransportURLError(f"{scheme}: an option is given twice")
    return options


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, so that what goes there crosses no wire."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
