"""What a relay's or provider's refusal means, and what to do about it, in the editors' language.

The reply's own text isn't kept, because it repeats addresses, so the explanation is made from its
class and codes (RFC 3463; https://www.iana.org/assignments/smtp-enhanced-status-codes).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from newsletter.transport.outcomes import Fault

Text = str | Promise


@dataclass(frozen=True)
class Explanation:
    """`title` says what happened, `meaning` what it means for readers, `to_do` how to fix it.

    `then` is what a held mailing takes after that; "" if it goes on automatically.
    """

    title: Text
    meaning: Text
    to_do: Text
    then: Text = ""


_NOBODY_MARKED = _("This is about us, not about the readers: nobody was marked as unreachable.")
_RESUME = _("Then resume the mailing.")

_AUTHENTICATION = Explanation(
    _("The relay or provider doesn’t accept our user name and password or key."),
    _NOBODY_MARKED,
    _("Ask the operator to correct the credentials in DELIVERY_TRANSPORTS."),
    _RESUME,
)
_QUOTA = Explanation(
    _("The sending account has reached its limit, or its bill is unpaid."),
    _NOBODY_MARKED,
    _(
        "Look at the account’s limits and balance at the provider. Raise the limit, or wait until "
        "it starts again."
    ),
    _RESUME,
)
_NOT_OURS = Explanation(
    _("The relay or provider doesn’t let us send from this address."),
    _NOBODY_MARKED,
    _(
        "Check that the newsletter’s sender address belongs to this account and that its domain "
        "is verified there, with SPF and DKIM records."
    ),
    _RESUME,
)
_POLICY = Explanation(
    _("The relay or provider refuses our emails as a matter of policy."),
    _NOBODY_MARKED,
    _(
        "Ask the operator to check the sender’s SPF, DKIM and DMARC records, and whether the "
        "relay is on a blocklist."
    ),
    _RESUME,
)
_TOO_LARGE = Explanation(
    _("The email is larger than the relay or provider allows."),
    _("Readers don’t have it yet. Nobody was marked as unreachable."),
    _("Make the pictures smaller, or send links to them, in a new mailing."),
    _("Cancel this mailing."),
)
_CONTENT = Explanation(
    _("The relay or provider refuses what the email says, or takes it for spam."),
    _("Readers don’t have it yet. Nobody was marked as unreachable."),
    _(
        "Send yourself a test and look at the links and the subject. A link to a blocked site is "
        "the most common reason."
    ),
)
_TOO_FAST = Explanation(
    _("The relay or provider says that we send too fast."),
    _("Readers wait. Nobody was marked as unreachable."),
    _(
        "Sending slows down automatically. If this doesn’t end, ask the operator to set a rate "
        "for this transport."
    ),
)
_READERS = Explanation(
    _("Everybody was refused, as if no address existed."),
    _(
        "That is more likely to be a fault of the relay than of so many readers, so nobody was "
        "marked as unreachable."
    ),
    _("Ask the operator to run “manage.py test_transport”."),
    _("Once an email gets through, resume the mailing."),
)
_CERTIFICATE = Explanation(
    _("The relay’s certificate can’t be trusted: it may have expired."),
    _("Nothing is sent without encryption. Readers wait."),
    _("Ask the operator to renew the certificate of the relay."),
)
_UNAVAILABLE = Explanation(
    _("The relay or provider can’t be reached, or is out of order."),
    _("Readers wait. Sending continues automatically once it is back."),
    _("Ask the operator to check the relay, or to add a second transport."),
)

_BY_STATUS = {
    "5.7.8": _AUTHENTICATION,
    "5.7.0": _AUTHENTICATION,
    "5.7.9": _AUTHENTICATION,
    "5.7.139": _AUTHENTICATION,
    "5.4.5": _QUOTA,
    "5.3.4": _TOO_LARGE,
    "5.2.3": _TOO_LARGE,
    "5.1.7": _NOT_OURS,
    "5.1.8": _NOT_OURS,
    "5.7.26": _NOT_OURS,
    "5.7.515": _NOT_OURS,
    "5.7.60": _NOT_OURS,
}
_AUTHENTICATION_CODES = frozenset({401, 530, 534, 535, 538})
_QUOTA_CODES = frozenset({402, 420})
_BY_FAULT = {
    Fault.READER: _READERS,
    Fault.MESSAGE: _CONTENT,
    Fault.SENDER: _POLICY,
    Fault.RELAY: _UNAVAILABLE,
    Fault.SPEED: _TOO_FAST,
    Fault.NONE: _UNAVAILABLE,
}


def explain(fault: Fault, code: int | None, status: str = "", reason: str = "") -> Explanation:
    """Return the explanation of a refusal. `reason` is a transport's own, such as a TLS error."""
    if "certificate" in reason:
        return _CERTIFICATE
    if fault in {Fault.SENDER, Fault.MESSAGE, Fault.NONE}:
        if status in _BY_STATUS:
            return _BY_STATUS[status]
        if code in _AUTHENTICATION_CODES:
            return _AUTHENTICATION
        if code in _QUOTA_CODES:
            return _QUOTA
        if code == 552 or code == 413:
            return _TOO_LARGE
    return _BY_FAULT[fault]


def explain_facts(facts: Mapping[str, Any]) -> Explanation:
    """Return the explanation of stored facts: `fault`, `code`, `status` and `reason`."""
    return explain(
        Fault(facts.get("fault") or ""),
        facts.get("code"),
        facts.get("status") or "",
        facts.get("reason") or "",
    )
