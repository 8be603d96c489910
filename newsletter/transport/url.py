"""Parses the URLs of transports. Errors show nothing of a URL but the names of its options."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from newsletter.transport.base import TransportURLError
from newsletter.transport.pace import Limits, is_limit, parse_limits

_SCHEME = re.compile(r"[a-z][a-z0-9+_-]*")


@dataclass(frozen=True, repr=False)
class TransportURL:
    """The parts of a URL, percent-decoded. `port` is 0 if the URL has none.

    `limits` come from options that every transport has; they are not in `options`.
    """

    scheme: str
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = ""
    path: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)

    def require_known_options(self, known: Set[str]) -> None:
        """Raise TransportURLError for an option that is not in `known`."""
        unknown = sorted(set(self.options) - known)
        if unknown:
            raise TransportURLError(
                f"{self.scheme}: unknown option {', '.join(unknown)}; "
                f"the options are {', '.join(sorted(known)) or 'none'}"
            )

    def int_option(self, name: str, *, default: int, minimum: int, maximum: int) -> int:
        """Return an option's whole number. Raises TransportURLError if it is out of range."""
        text = self.options.get(name, str(default))
        if not text.isascii() or not text.isdecimal() or not minimum <= int(text) <= maximum:
            raise TransportURLError(
                f"{self.scheme}: {name} must be a whole number from {minimum} to {maximum}"
            )
        return int(text)


def parse(url: str) -> TransportURL:
    """Parse a URL. Raises TransportURLError."""
    scheme, separator, rest = url.strip().partition("://")
    if not separator or not _SCHEME.fullmatch(scheme):
        raise TransportURLError("must be of the form scheme://…")
    try:
        # urlsplit accepts no "_" in a scheme (amazon_ses), so it gets another scheme.
        parts = urlsplit(f"smtp://{rest}")
        port = parts.port
        host = parts.hostname or ""
    except ValueError:
        raise TransportURLError(f"{scheme}: the host or the port is malformed") from None
    if port == 0 or parts.fragment or "@" in parts.path + parts.query:
        # An unencoded "#", "/" or "?" in a password ends the host too early.
        raise TransportURLError(
            f"{scheme}: malformed; percent-encode special characters in the password"
        )
    options = _options(scheme, parts.query)
    return TransportURL(
        scheme=scheme,
        host=host,
        port=port or 0,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        path=parts.path,
        options={name: text for name, text in options.items() if not is_limit(name)},
        limits=_limits(scheme, options),
    )


def _options(scheme: str, query: str) -> dict[str, str]:
    try:
        # A "+" stands for itself: API keys contain it, and no option contains a space.
        pairs = parse_qsl(
            query.replace("+", "%2B"), keep_blank_values=True, strict_parsing=bool(query)
        )
    except ValueError:
        raise TransportURLError(f"{scheme}: options are written name=value&name=value") from None
    options = dict(pairs)
    if len(options) != len(pairs):
        raise TransportURLError(f"{scheme}: an option is given twice")
    return options


def _limits(scheme: str, options: Mapping[str, str]) -> Limits:
    try:
        limits = parse_limits({name: text for name, text in options.items() if is_limit(name)})
    except ValueError as error:
        raise TransportURLError(f"{scheme}: {error}") from None
    if limits.calls and not scheme.startswith("anymail+"):
        raise TransportURLError(f"{scheme}: calls limits a provider's calls; use rate")
    return limits


def is_loopback(host: str) -> bool:
    """Return whether the host is this machine, so that traffic to it stays off the network."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
