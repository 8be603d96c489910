"""Transports by their URL's scheme. docs/adding-a-transport.md shows how to add one."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.utils.module_loading import import_string

from newsletter.transport.base import AnyTransport, TransportURLError
from newsletter.transport.url import TransportURL, parse

TRANSPORTS = {
    "smtp": "newsletter.transport.smtp.transport.from_url",
    "smtps": "newsletter.transport.smtp.transport.from_url",
    "anymail+": "newsletter.transport.esp.transport.from_url",
    "memory": "newsletter.transport.memory.from_url",
}
"""Maps a scheme (up to and including a "+") to a function that makes a transport from its URL."""


def from_url(url: str) -> AnyTransport:
    """Return the transport that a URL describes. It connects only when it sends.

    Raises TransportURLError, which says what is wrong and contains no secrets.
    """
    parts = parse(url)
    kind, plus, _ = parts.scheme.partition("+")
    path = TRANSPORTS.get(kind + plus)
    if path is None:
        known = ", ".join(f"{name}NAME" if "+" in name else name for name in sorted(TRANSPORTS))
        raise TransportURLError(f"{parts.scheme}: unknown scheme; choose one of {known}")
    build: Callable[[TransportURL], AnyTransport] = import_string(path)
    return build(parts)


def validate(urls: Iterable[str]) -> None:
    """Raise TransportURLError, with its number, for the first bad URL, or if there are no URLs."""
    number = 0
    for number, url in enumerate(urls, start=1):
        try:
            from_url(url)
        except TransportURLError as error:
            raise TransportURLError(f"transport {number}: {error}") from None
    if not number:
        raise TransportURLError("no transport is configured")
