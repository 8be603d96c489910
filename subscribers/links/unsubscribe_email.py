"""The mailto form of List-Unsubscribe: an email to `unsub+CODE@domain` unsubscribes (A7).

The code is the token of the one-click URL, spelled in base32 (RFC 4648), lower case: mail servers
don't keep the case of an address's local part. The local part has 50 octets; 64 are allowed.
"""

from __future__ import annotations

import base64
from collections.abc import Callable

from subscribers.links import tokens
from subscribers.links.tokens import LinkPurpose, TokenError


def mailto_urls(*, domain: str) -> Callable[[int], str]:
    """Return a function from a subscription's ID to the mailto URL for its List-Unsubscribe.

    Use it right away, because keys are rotated.
    """
    make = tokens.token_maker(LinkPurpose.UNSUBSCRIBE)
    after = f"@{domain}?subject=unsubscribe"

    def build(subscription_id: int) -> str:
        raw = base64.urlsafe_b64decode(make(subscription_id))
        return f"mailto:unsub+{base64.b32encode(raw).decode().rstrip('=').lower()}{after}"

    return build


def subscription_in(code: str) -> int | None:
    """Return the subscription that a code or a plain token belongs to, or None if it is forged."""
    for token in (_token_in(code), code):
        try:
            return tokens.parse(LinkPurpose.UNSUBSCRIBE, token)
        except TokenError:
            continue
    return None


def _token_in(code: str) -> str:
    try:
        raw = base64.b32decode(code.upper() + "=" * (-len(code) % 8))
    except ValueError:
        return ""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
