"""The configured transports of this process, in order of preference."""

from __future__ import annotations

from functools import cache
from time import monotonic

from django.conf import settings

from newsletter.delivery.sending import rates
from newsletter.transport.base import AnyTransport
from newsletter.transport.registry import from_url

_DOWN_SECONDS = 60
_down_until: dict[str, float] = {}


@cache
def _connected(urls: tuple[str, ...]) -> tuple[AnyTransport, ...]:
    return tuple(rates.share(from_url(url)) for url in urls)


def configured() -> tuple[AnyTransport, ...]:
    """Return all transports, in order of preference. Each keeps its connections open."""
    return _connected(tuple(settings.DELIVERY_TRANSPORTS))


def preferred() -> AnyTransport:
    """Return the first transport that isn't marked down, or the first of all if every one is."""
    transports = configured()
    for transport in transports:
        if _down_until.get(transport.name, 0.0) <= monotonic():
            return transport
    return transports[0]


def has_another(down: AnyTransport) -> bool:
    """Return whether a transport other than `down` is not marked down."""
    return any(_down_until.get(t.name, 0.0) <= monotonic() for t in configured() if t is not down)


def mark_down(transport: AnyTransport, *, seconds: int | None = None) -> None:
    """Close the transport and prefer others for `seconds` (by default a minute)."""
    _down_until[transport.name] = monotonic() + (seconds or _DOWN_SECONDS)
    transport.close()


def mark_up(transport: AnyTransport) -> None:
    """Prefer the transport again: it has just worked."""
    _down_until.pop(transport.name, None)


def reset() -> None:
    """Close all connections, and read the settings again at the next use."""
    for transport in _connected(tuple(settings.DELIVERY_TRANSPORTS)):
        transport.close()
    _connected.cache_clear()
    _down_until.clear()
