"""Find out which of our emails a report is about, by what nobody else can make.

An ID counts only if it verifies: the delivery ID in the return path or the Message-ID, else the
token in List-Unsubscribe. Whatever else a report says about its recipient could be forged (D6).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.utils import getaddresses
from itertools import islice
from typing import NamedTuple

from newsletter.delivery.feedback.mail.incoming import Fields, IncomingEmail
from newsletter.delivery.message_ids import MessageTrace, parse_delivery_id
from subscribers.links import tokens
from subscribers.links.tokens import LinkPurpose, TokenError
from subscribers.links.unsubscribe_email import subscription_in

_DELIVERY_ID = re.compile(r"(?<![A-Za-z0-9])([A-Za-z2-7]{28})@")
_ONE_CLICK = re.compile(r"<https?://[^<>\s]{1,200}/([A-Za-z0-9_-]{36})/?>")
_ENVELOPE_FIELDS = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "to", "cc")
_RETURNED_FIELDS = (
    *("message-id", "return-path", "x-original-message-id", "original-message-id"),
    *("original-mail-from", "original-envelope-id", "references", "in-reply-to"),
)
MAX_TEXT = 64_000
MAX_CANDIDATES = 50


class Identity(NamedTuple):
    """The email that a report is about.

    `reference` is the delivery ID, or the token if only that was found: then the reader's
    subscription is known and the mailing isn't.
    """

    reference: str
    trace: MessageTrace | None = None
    subscription_id: int | None = None


class Search(NamedTuple):
    """The result of looking for an identity. `forged` says that an ID was found that isn't ours."""

    identity: Identity | None = None
    forged: bool = False


def envelope_recipients(message: IncomingEmail, given: str) -> list[str]:
    """Return the addresses that a message was sent to: `given` by the MTA, else in its header."""
    fields = message.fields.all(*_ENVELOPE_FIELDS)
    # Not strict: a malformed name must not hide the address behind it.
    try:
        found = [address for _name, address in getaddresses(fields[:50])]
    except Exception:  # noqa: BLE001 - it fails on some malformed addresses
        found = []
    return [address for address in [given.strip().strip("<>"), *found] if address]


def from_return_path(recipients: Iterable[str]) -> Search:
    """Find the delivery ID in `bounce+ID@domain`."""
    locals_ = [address.rpartition("@")[0].lower() for address in recipients]
    candidates = [local.removeprefix("bounce+") for local in locals_ if local.startswith("bounce+")]
    return _first_authentic(candidates)


def from_returned(fields: Fields) -> Search:
    """Find the identity in the header of the email that a report returns."""
    found = from_text("\n".join(fields.all(*_RETURNED_FIELDS)))
    if found.identity:
        return found
    in_link = _from_link(fields)
    return in_link if in_link.identity else Search(forged=found.forged or in_link.forged)


def is_our_own(fields: Fields) -> bool:
    """Return whether we sent an email, judging by its own header."""
    own_id = from_text("\n".join(fields.all("message-id")))
    return bool(own_id.identity or _from_link(fields).identity)


def _from_link(fields: Fields) -> Search:
    """Find the token in the one-click URL of List-Unsubscribe."""
    forged = False
    for token in _ONE_CLICK.findall("\n".join(fields.all("list-unsubscribe"))):
        try:
            subscription_id = tokens.parse(LinkPurpose.UNSUBSCRIBE, token)
        except TokenError:
            forged = True
        else:
            return Search(Identity(token, subscription_id=subscription_id))
    return Search(forged=forged)


def from_text(text: str) -> Search:
    """Find a delivery ID in text, such as a quoted `Message-ID: <ID@domain>`."""
    return _first_authentic(_DELIVERY_ID.findall(text[:MAX_TEXT]))


def unsubscription(recipients: Iterable[str]) -> Search | None:
    """Return whose unsubscription an email to these recipients is, or None if it is none."""
    locals_ = [address.rpartition("@")[0] for address in recipients]
    codes = [local[6:] for local in locals_ if local[:6].lower() == "unsub+"]
    if not codes:
        return None
    for code in codes:
        subscription_id = subscription_in(code)
        if subscription_id is not None:
            return Search(Identity(code, subscription_id=subscription_id))
    return Search(forged=True)


def first_found(searches: Iterable[Search]) -> Search:
    """Return the first search that found an identity, else whether any saw a forged one."""
    forged = False
    for search in searches:
        if search.identity:
            return search
        forged = forged or search.forged
    return Search(forged=forged)


def _first_authentic(candidates: Iterable[str]) -> Search:
    forged = False
    for candidate in islice(candidates, MAX_CANDIDATES):
        text = candidate.lower()
        trace = parse_delivery_id(text)
        if trace:
            return Search(Identity(text, trace))
        forged = True
    return Search(forged=forged)
