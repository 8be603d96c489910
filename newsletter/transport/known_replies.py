"""What relays and providers say when they refuse a message, as data (D7, D9).

`newsletter.transport.decisions` reads these tables and those in `known_words`. Statuses are written
without their class: "1.1" is 5.1.1 and 4.1.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from newsletter.transport.outcomes import Fault


class Meaning(NamedTuple):
    """What a refusal says. `status` stands for it if the reply has no enhanced status.

    A `soft` refusal is tried again even if the code is permanent. An `account_wide` one concerns
    everybody who would be sent to, so it isn't counted reader by reader if it is temporary.
    """

    fault: Fault
    status: str = ""
    soft: bool = False
    account_wide: bool = False


GONE = Meaning(Fault.READER)
"""The mailbox or its domain doesn't exist, or takes no email."""
FULL = Meaning(Fault.READER, soft=True)
GREYLISTED = Meaning(Fault.READER, soft=True)
TOO_LARGE = Meaning(Fault.MESSAGE, "3.4")
CONTENT = Meaning(Fault.MESSAGE, "6.0")
SPAM = Meaning(Fault.MESSAGE, "7.1")
QUOTA = Meaning(Fault.SENDER, "4.5", account_wide=True)
"""A limit for an hour, a day or a month, or a balance that is used up."""
SUSPENDED = Meaning(Fault.SENDER, "7.1", account_wide=True)
CREDENTIALS = Meaning(Fault.SENDER, "7.8", account_wide=True)
NOT_OURS = Meaning(Fault.SENDER, "1.8")
"""The account may not send from this address or domain."""
UNAUTHENTICATED = Meaning(Fault.SENDER, "7.26")
"""SPF, DKIM or DMARC, or a relay that doesn't know us."""
POLICY = Meaning(Fault.SENDER, "7.1")
TOO_FAST = Meaning(Fault.SPEED, "7.0")
BROKEN = Meaning(Fault.RELAY, "3.0")
EXPIRED = Meaning(Fault.READER, soft=True)
"""The relay has tried for days, and the recipient's server never took the message."""
UNEXPLAINED = Meaning(Fault.NONE)

STATUSES: Mapping[str, Meaning] = {
    **dict.fromkeys(("1.1", "1.2", "1.3", "1.6", "1.10", "2.1", "4.4", "4.310"), GONE),
    **dict.fromkeys(("1.7", "1.8", "7.60"), NOT_OURS),
    **dict.fromkeys(("1.90", "4.5"), QUOTA),
    **dict.fromkeys(("2.3", "3.4"), TOO_LARGE),
    "4.7": EXPIRED,
    "5.3": TOO_FAST,
    **dict.fromkeys(("7.8", "7.9", "7.139"), CREDENTIALS),
    **dict.fromkeys(("7.26", "7.509", "7.515"), UNAUTHENTICATED),
    **dict.fromkeys(("7.28", "7.500", "7.650", "7.651", "7.652"), TOO_FAST),
    **dict.fromkeys(("7.501", "7.502", "7.503", "7.606", "7.708", "7.750"), POLICY),
}
"""Statuses that say one thing, whatever the text (RFC 3463, RFC 5248, RFC 7505; 1.90, 7.139, 4.310
and 7.500 upwards are Microsoft's, 7.26 and 7.28 are also Google's). 4.4.5 is congestion: see
`decisions`."""

SUBJECTS: Mapping[str, Meaning] = {
    "1": GONE,
    "2": FULL,
    "3": BROKEN,
    "4": BROKEN,
    "5": BROKEN,
    "6": CONTENT,
    "7": POLICY,
}
"""What the middle number of any other status says if no phrase says more."""

HTTP_STATUSES: Mapping[int, Meaning] = {
    401: CREDENTIALS,
    402: QUOTA,
    403: POLICY,
    413: TOO_LARGE,
    420: QUOTA,  # Mailgun and SparkPost
    429: TOO_FAST,
}
