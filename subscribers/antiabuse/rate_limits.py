"""Limits against list bombing (B4), on counters that keep no IP address.

A counter's name is a keyed hash whose key turns daily; it lives in the cache for an hour. Whoever
shares a network (/24, /64) shares its counter. The web process counts networks; a worker, which
alone can read an address, counts domains, letters in all, and letters to one address (lifecycle).
A cache that is down stops no reader: what the database counts still holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from hashlib import blake2b
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone

from newsletter.lib import outages
from newsletter.lib.cache_errors import cache_errors
from newsletter.lib.environment import Network
from subscribers.antiabuse.typo_suggestions import COMMON
from subscribers.crypto.derived_keys import key_for
from subscribers.models import TransactionalEmail

HOUR = 3600
UNPROVEN_SHARE = 5
"""Without a proof of work a network has a fifth."""


def network_allowed(request: HttpRequest, *, proven: bool) -> bool:
    """Count one form from the visitor's network; whether it is within the limit.

    A visitor whose network is not known, as one on this machine, is not counted.
    """
    most = settings.SIGN_UPS_PER_NETWORK
    network = network_of(
        request.META.get("REMOTE_ADDR", ""),
        request.headers.get("X-Forwarded-For", ""),
        settings.TRUSTED_PROXIES,
    )
    if not most or network is None:
        return True
    if proven:
        return _count("network", network) <= most
    return _count("network-unproven", network) <= max(1, most // UNPROVEN_SHARE)


def domain_allowed(domain: str) -> bool:
    """Count one sign-up with an address of this domain; whether it is within the limit. The large
    providers' domains have none of their own."""
    most = settings.SIGN_UPS_PER_DOMAIN
    return not most or domain in COMMON or _count("domain", domain) <= most


def confirmations_left() -> int | None:
    """How many more confirmations may be queued this hour, all readers together; None: no limit."""
    most = settings.SIGN_UPS_IN_ALL
    if not most:
        return None
    since = timezone.now() - timedelta(hours=1)
    queued = TransactionalEmail.objects.filter(
        kind=TransactionalEmail.Kind.CONFIRMATION, created_at__gt=since
    ).count()
    return max(0, most - queued)


def network_of(remote: str, forwarded: str, trusted: Iterable[Network]) -> str | None:
    """The visitor's network: /24, or /64. None where it is not known. Pure.

    `forwarded` is X-Forwarded-For, of which only what trusted proxies wrote is believed: from the
    right, the first address that is not a trusted proxy's own. A peer without an address is a
    proxy at a socket.
    """
    trusted = list(trusted)
    for hop in reversed([*forwarded.split(","), remote]):
        address = _address(hop)
        if address is None:
            if hop.strip():
                return None
            continue
        if not any(address in each for each in trusted):
            bits = 64 if address.version == 6 else 24
            return str(ip_network((address, bits), strict=False))
    return None


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _count(kind: str, what: str) -> int:
    """How often this was counted in this clock hour, this time included; 0 if it cannot be told."""
    now = timezone.now()
    hashed = blake2b(
        f"{kind}\0{what}\0{now.hour}".encode(), key=key_for("limits", now.date()), digest_size=16
    ).hexdigest()
    name = f"limit:{hashed}"
    try:
        cache.add(name, 0, timeout=HOUR)
        return int(cache.incr(name))
    except ValueError:
        # It ran out between the two.
        return 1
    except cache_errors() as error:
        outages.monitor.report_failure("cache", type(error).__name__)
        return 0
