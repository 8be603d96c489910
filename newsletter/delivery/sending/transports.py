"""The configured transports of this process, the first preferred."""

from __future__ import annotations

from functools import cache
from time import monotonic

from django.conf import settings

from newsletter.transport.base import Transport
from newsletter.transport.registry import from_url

_DOWN_SECONDS = 60
_down_until: dict[str, float] = {}


@cache
def _connected(urls: tuple[str, ...]) -> tuple[Transport, ...]:
    return tuple(from_url(url) for url in urls)


def configured() -> tuple[Transport, ...]:
    """All transports, in order of preference; each keeps its connections for this process."""
    return _connected(tuple(settings.DELIVERY_TRANSPORTS))


def preferred() -> Transport:
    """The first transport that was not found down in the last minute, else the very first."""
    transports = configured()
    for transport in transports:
        if _down_until.get(transport.name, 0.0) <= monotonic():
            return transport
    return transports[0]


def has_another(down: Transport) -> bool:
    """Whether a transport other than `down` may work now."""
    return any(_down_until.get(t.name, 0.0) <= monotonic() for t in configured() if t is not down)


def mark_down(transport: Transport, *, seconds: int | None = None) -> None:
    """Prefer others for a minute, or for as long as the peer asked."""
    _down_until[transport.name] = monotonic() + (seconds or _DOWN_SECONDS)
    transport.close()


def mark_up(transport: Transport) -> None:
    _down_until.pop(transport.name, None)


def reset() -> None:
    """Begin anew: close all connections, read the settings again."""
    for transport in _connected(tuple(settings.DELIVERY_TRANSPORTS)):
        transport.close()
    _connected.cache_clear()
    _down_until.clear()
