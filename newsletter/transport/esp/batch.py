"""Compiles an edition for a provider, and builds the message of one API call. Sends nothing."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from email import policy
from email.message import MIMEPart
from email.mime.base import MIMEBase
from html import escape
from typing import Any

from django.core.mail import EmailMultiAlternatives

from newsletter.lib.placeholders import PLACEHOLDER_URL
from newsletter.transport import template
from newsletter.transport.addresses import to_ace
from newsletter.transport.esp.profiles import ProviderProfile
from newsletter.transport.headers import list_header_value, single_line
from newsletter.transport.outcomes import Email, Image, Recipient

WORD_JOINER = "\u2060"


@dataclass(frozen=True)
class EspEdition:
    """An email with the provider's own merge syntax neutralized. It still has its placeholders."""

    sender: str
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    reply_to: tuple[str, ...]
    headers: tuple[tuple[str, str], ...]
    images: tuple[Image, ...]
    placeholders: frozenset[str]
    personal_headers: frozenset[str]
    """Names of the headers that contain a placeholder."""
    call_size: int = 1
    """How many recipients fit into a call; 0 if the email is too large for even one."""
    payload_class: Any = None
    """The class that Anymail builds a call's payload from."""


@dataclass(frozen=True)
class MergeRecipient:
    """A recipient with the URL for each placeholder.

    `address` is the one spelling that is used in `to` and as a key in every `merge_*` (trap 2).
    """

    position: int
    address: str = field(repr=False)
    delivery_id: str
    urls: dict[str, str] = field(repr=False)


def compile_edition(email: Email, profile: ProviderProfile) -> EspEdition:
    """Compile an email. Raises CompileError for the same reasons as the SMTP transport."""
    # What template.compile refuses is wrong with every transport.
    sender = template.compile(email).sender
    name = single_line("From", email.from_name).replace("\\", "\\\\").replace('"', '\\"')
    return EspEdition(
        sender=f'"{name}" <{sender}>' if name else sender,
        subject=neutralize_merge_syntax(
            single_line("the subject", email.subject), profile.merge_openings
        ),
        text=neutralize_merge_syntax(email.text, profile.merge_openings),
        html=neutralize_merge_syntax(email.html, profile.merge_openings, html=True),
        reply_to=(str(to_ace(email.reply_to)),) if email.reply_to else (),
        headers=tuple(
            (name, list_header_value(name, value) if name.lower().startswith("list-") else value)
            for name, value in email.headers
        ),
        images=email.images,
        placeholders=template.placeholders_in(email),
        personal_headers=frozenset(
            name for name, value in email.headers if PLACEHOLDER_URL.search(value)
        ),
    )


def neutralize_merge_syntax(text: str, openings: Sequence[str], *, html: bool = False) -> str:
    """Break up the start of each merge field without changing how the text reads (C7)."""
    for opening in openings:
        first, rest = opening[0], opening[1:]
        broken = f"&#{ord(first)};" if html else first + WORD_JOINER
        text = re.sub(f"{re.escape(first)}(?={re.escape(rest)})", broken, text)
    return text


def merge_recipient(recipient: Recipient, placeholders: frozenset[str]) -> MergeRecipient:
    """Return the recipient for a call.

    Raises MergeError if a URL is missing or the address needs SMTPUTF8.
    """
    address = template.envelope_address(recipient)
    if address is None:
        raise template.MergeError("an address that needs SMTPUTF8")
    urls = {name: template.placeholder_url(name, recipient.urls) for name in placeholders}
    return MergeRecipient(recipient.position, address.decode(), recipient.delivery_id, urls)


def fitting_recipients(profile: ProviderProfile, one: int, two: int) -> int:
    """Return how many recipients fit into a call, or 0 if the email is too large for even one.

    `one` and `two` are the octets of calls with one and two recipients, as large as they can be.
    """
    most = profile.max_recipients if profile.is_batch else 1
    if not profile.max_bytes:
        return most
    room = profile.max_bytes - one
    return 0 if room < 0 else min(most, 1 + room // max(two - one, 1))


def split_into_calls(
    recipients: Sequence[MergeRecipient], max_recipients: int
) -> Iterator[list[MergeRecipient]]:
    """Split recipients into calls.

    No address occurs twice in a call, because the statuses come back by address.
    """
    call: list[MergeRecipient] = []
    seen: set[str] = set()
    for recipient in recipients:
        if len(call) == max_recipients or recipient.address.casefold() in seen:
            yield call
            call, seen = [], set()
        call.append(recipient)
        seen.add(recipient.address.casefold())
    if call:
        yield call


def build_message(
    edition: EspEdition, profile: ProviderProfile, recipients: Sequence[MergeRecipient]
) -> EmailMultiAlternatives:
    """Build the message of one call, for Anymail."""
    if profile.is_batch:
        built = _batch_message(edition, profile, recipients)
    else:
        (recipient,) = recipients
        built = _single_message(edition, profile, recipient)
    if profile.tracking:
        # Opens and clicks are never tracked (P4).
        built.track_opens = built.track_clicks = False
    if profile.esp_extra:
        built.esp_extra = copy.deepcopy(dict(profile.esp_extra))
    for image in edition.images:
        built.attach(InlineImage(image))
    return built


class _AnymailMessage(EmailMultiAlternatives):
    """A message with the attributes that Anymail reads."""

    merge_headers: dict[str, dict[str, str]]
    merge_data: dict[str, dict[str, str]]
    merge_metadata: dict[str, dict[str, str]]
    metadata: dict[str, str]
    track_opens: bool
    track_clicks: bool
    esp_extra: dict[str, object]


def _batch_message(
    edition: EspEdition, profile: ProviderProfile, recipients: Sequence[MergeRecipient]
) -> _AnymailMessage:
    """Build a message for several recipients.

    Shared headers are set for each recipient too, because some providers send either the global
    headers or the personal ones (C4). merge_metadata is always set (trap 3, C5).
    """
    built = _new_message(
        edition,
        text=PLACEHOLDER_URL.sub(lambda found: profile.merge_field % found[1], edition.text),
        html=PLACEHOLDER_URL.sub(
            lambda found: profile.merge_field % f"{found[1]}_html", edition.html
        ),
        to=[recipient.address for recipient in recipients],
    )
    built.merge_headers = {r.address: _headers(edition, r) for r in recipients}
    built.merge_data = {r.address: dict(_merge_values(r, profile)) for r in recipients}
    built.merge_metadata = {r.address: {"delivery_id": r.delivery_id} for r in recipients}
    return built


def _merge_values(recipient: MergeRecipient, profile: ProviderProfile) -> Iterator[tuple[str, str]]:
    for name, url in recipient.urls.items():
        yield name, url
        yield f"{name}_html", url if profile.escapes_html else escape(url)


def _single_message(
    edition: EspEdition, profile: ProviderProfile, recipient: MergeRecipient
) -> _AnymailMessage:
    built = _new_message(
        edition,
        text=_fill(edition.text, recipient, str),
        html=_fill(edition.html, recipient, escape),
        to=[recipient.address],
        headers=_headers(edition, recipient),
    )
    if profile.metadata:
        built.metadata = {"delivery_id": recipient.delivery_id}
    return built


def _new_message(
    edition: EspEdition,
    *,
    text: str,
    html: str,
    to: list[str],
    headers: dict[str, str] | None = None,
) -> _AnymailMessage:
    built = _AnymailMessage(
        subject=edition.subject,
        body=text,
        from_email=edition.sender,
        to=to,
        reply_to=list(edition.reply_to) or None,
        headers=headers,
    )
    if html:
        built.attach_alternative(html, "text/html")
    return built


def _headers(edition: EspEdition, recipient: MergeRecipient) -> dict[str, str]:
    return {
        name: _fill(value, recipient, str) if name in edition.personal_headers else value
        for name, value in edition.headers
    }


def _fill(text: str, recipient: MergeRecipient, encode: Callable[[str], str]) -> str:
    return PLACEHOLDER_URL.sub(lambda found: encode(recipient.urls[found[1]]), text)


class InlineImage(MIMEPart, MIMEBase):
    """An inline image. Django 5.2 attaches a MIMEBase, and Django 6 a MIMEPart."""

    def __init__(self, image: Image) -> None:
        maintype, _, subtype = image.type.partition("/")
        MIMEBase.__init__(self, maintype, subtype, policy=policy.default)
        extension = {"jpeg": "jpg", "svg+xml": "svg"}.get(subtype, subtype)
        self.set_content(
            image.content,
            maintype,
            subtype,
            disposition="inline",
            filename=f"{image.cid.partition('@')[0]}.{extension}",
            cid=f"<{image.cid}>",
        )
