"""Rate limits against list bombing (B4), with counters that store no IP address.

A counter is named by a keyed hash whose key changes daily, and stays in the cache for an hour.
Visitors from one network (/24 or /64) share a counter. The web process counts networks. A worker,
which alone can decrypt addresses, counts domains, all confirmations, and emails to one address
(lifecycle). If the cache is down, readers can still sign up; the limits that count rows in the
database still apply.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from newsletter.lib import outages
from newsletter.lib.cache_errors import cache_errors
from newsletter.lib.environment import Network
from subscribers.antiabuse.domains import COMMON
from subscribers.models import TransactionalEmail

HOUR = 3600
UNPROVEN_SHARE = 5
"""Without proofs of work, a network may send a fifth as many forms."""


def network_allowed(request: HttpRequest, *, proven: bool) -> bool:
    """Count one form from the visitor's network, and return whether it is within the limit. A
    visitor whose network is unknown, such as one on this machine, isn't counted."""
    limit = settings.SIGN_UPS_PER_NETWORK
    network = network_of(
        request.META.get("REMOTE_ADDR", ""),
        request.headers.get("X-Forwarded-For", ""),
        settings.TRUSTED_PROXIES,
    )
    if not limit or network is None:
        return True
    if proven:
        return _count("network", network) <= limit
    return _count("network-unproven", network) <= max(1, limit // UNPROVEN_SHARE)


def domain_allowed(domain: str) -> bool:
    """Count one sign-up with an address at this domain, and return whether it is within the limit.
    The large providers' domains have no limit."""
    limit = settings.SIGN_UPS_PER_DOMAIN
    return not limit or domain in COMMON or _count("domain", domain) <= limit


def confirmations_left() -> int | None:
    """Return how many more confirmations may be queued this hour, or None for no limit."""
    limit = settings.SIGN_UPS_IN_ALL
    if not limit:
        return None
    since = timezone.now() - timedelta(hours=1)
    queued = TransactionalEmail.objects.filter(
        kind=TransactionalEmail.Kind.CONFIRMATION, created_at__gt=since
    ).count()
    return max(0, limit - queued)


def network_of(remote: str, forwarded: str, trusted: Iterable[Network]) -> str | None:
    """Return the visitor's network (/24 or /64), or None if it is unknown. Pure.

    `remote` is the peer's address; it is empty for a proxy that connects through a Unix socket.
    `forwarded` is the X-Forwarded-For header. Only what trusted proxies wrote counts: the visitor
    is the rightmost address that isn't a trusted proxy.
    """
    trusted = list(trusted)
    for hop in reversed([*forwarded.split(","), remote]):
        address = _address(hop)
        if address is None:
            if hop.strip():
                return None
            continue
        if not any(address in proxies for proxies in trusted):
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


def _count(kind: str, key: str) -> int:
    """Count `key` and return its count in this clock hour, or 0 if the cache is down."""
    now = timezone.now()
    text = f"{kind}\0{key}\0{now.hour}"
    name = f"limit:{salted_hmac(f'limits {now.date()}', text, algorithm='sha256').hexdigest()}"
    try:
        cache.add(name, 0, timeout=HOUR)
        return int(cache.incr(name))
    except ValueError:
        # The counter expired between the two calls.
        return 1
    except cache_errors() as error:
        outages.monitor.report_failure("cache", type(error).__name__)
        return 0
