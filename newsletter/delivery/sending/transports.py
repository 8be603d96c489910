"""The configured transports of this process, the first preferred."""

from __future__ import annotations

from functools import cache
from time import monotonic

from django.conf import settings

from newsletter.transport.base import AnyTransport
from newsletter.transport.registry import from_url

_CIRCUIT_SECONDS = 60
_open_until: dict[str, float] = {}


@cache
def _connected(urls: tuple[str, ...]) -> tuple[AnyTransport, ...]:
    return tuple(from_url(url) for url in urls)


def configured() -> tuple[AnyTransport, ...]:
    """All transports, in order of preference; each keeps its connections for this process."""
    return _connected(tuple(settings.DELIVERY_TRANSPORTS))


def preferred() -> AnyTransport:
    """The first transport that was not found down in the last minute, else the very first."""
    transports = configured()
    for transport in transports:
        if _open_until.get(transport.name, 0.0) <= monotonic():
            return transport
    return transports[0]


def has_another(down: AnyTransport) -> bool:
    """Whether a transport other than `down` may work now."""
    return any(_open_until.get(t.name, 0.0) <= monotonic() for t in configured() if t is not down)


def mark_down(transport: AnyTransport, *, seconds: int | None = None) -> None:
    """Prefer others for a minute, or for as long as the peer asked."""
    _open_until[transport.name] = monotonic() + (seconds or _CIRCUIT_SECONDS)
    transport.close()


def mark_up(transport: AnyTransport) -> None:
    _open_until.pop(transport.name, None)


def reset() -> None:
    """Begin anew: close all connections, read the settings again."""
    for transport in _connected(tuple(settings.DELIVERY_TRANSPORTS)):
        transport.close()
    _connected.cache_clear()
    _open_until.clear()
