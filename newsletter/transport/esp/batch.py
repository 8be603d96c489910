"""An edition made ready for a provider, and the message of one call. Nothing is sent here."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from email import policy
from email.message import MIMEPart
from email.mime.base import MIMEBase
from html import escape

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
    """A Mail with the provider's own merge syntax neutralised; its places still stand."""

    sender: str
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    reply_to: tuple[str, ...]
    headers: tuple[tuple[str, str], ...]
    images: tuple[Image, ...]
    places: frozenset[str]
    personal: frozenset[str]
    """Names of the headers in which a place stands."""


@dataclass(frozen=True)
class MergeRecipient:
    """A recipient under the one spelling of the address that goes into `to` and every `merge_*`
    (trap 2), with the URLs for the places."""

    position: int
    address: str = field(repr=False)
    delivery_id: str
    urls: dict[str, str] = field(repr=False)


def compile_edition(email: Email, profile: ProviderProfile) -> EspEdition:
    """Raises CompileError, for the same reasons as SMTP: what it refuses is wrong anywhere."""
    sender = template.compile(email).sender
    name = single_line("From", email.from_name).replace("\\", "\\\\").replace('"', '\\"')
    return EspEdition(
        sender=f'"{name}" <{sender}>' if name else sender,
        subject=neutralize_merge_syntax(single_line("the subject", email.subject), profile.syntax),
        text=neutralize_merge_syntax(email.text, profile.syntax),
        html=neutralize_merge_syntax(email.html, profile.syntax, html=True),
        reply_to=(str(to_ace(email.reply_to)),) if email.reply_to else (),
        headers=tuple(
            (name, list_header_value(name, value) if name.lower().startswith("list-") else value)
            for name, value in email.headers
        ),
        images=email.images,
        places=template.placeholders_in(email),
        personal=frozenset(name for name, value in email.headers if PLACEHOLDER_URL.search(value)),
    )


def neutralize_merge_syntax(text: str, syntax: Sequence[str], *, html: bool = False) -> str:
    """The text with each beginning of a merge field broken up, so that it reads the same (C7)."""
    for opening in syntax:
        first, rest = opening[0], opening[1:]
        broken = f"&#{ord(first)};" if html else first + WORD_JOINER
        text = re.sub(f"{re.escape(first)}(?={re.escape(rest)})", broken, text)
    return text


def merge_recipient(recipient: Recipient, places: frozenset[str]) -> MergeRecipient:
    """Raises FillError where a value is missing, or the address needs SMTPUTF8."""
    address = template.envelope_address(recipient)
    if address is None:
        raise template.MergeError("an address that needs SMTPUTF8")
    urls = {place: template.placeholder_url(place, recipient.urls) for place in places}
    return MergeRecipient(recipient.position, address.decode(), recipient.delivery_id, urls)


def split_into_calls(
    recipients: Sequence[MergeRecipient], most: int
) -> Iterator[list[MergeRecipient]]:
    """Cut for one call each. No address stands twice in one: answers are by address."""
    call: list[MergeRecipient] = []
    seen: set[str] = set()
    for recipient in recipients:
        if len(call) == most or recipient.address.casefold() in seen:
            yield call
            call, seen = [], set()
        call.append(recipient)
        seen.add(recipient.address.casefold())
    if call:
        yield call


def build_message(
    edition: EspEdition, profile: ProviderProfile, recipients: Sequence[MergeRecipient]
) -> EmailMultiAlternatives:
    """The message of one call, for Anymail."""
    if profile.is_batch:
        made = _batch_message(edition, profile, recipients)
    else:
        (recipient,) = recipients
        made = _single_message(edition, profile, recipient)
    if profile.tracking:
        # No tracking unless switched on (P4).
        made.track_opens = made.track_clicks = False
    if profile.extra:
        made.esp_extra = copy.deepcopy(dict(profile.extra))
    for image in edition.images:
        made.attach(InlineImage(image))
    return made


class _AnymailMessage(EmailMultiAlternatives):
    """Anymail's attributes, which it reads from any message."""

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
    """Every header is personal, the shared ones too: some providers send either the global ones
    or the personal ones (C4). merge_metadata is always there (trap 3, C5)."""
    made = _new_message(
        edition,
        text=PLACEHOLDER_URL.sub(lambda found: profile.place % found[1], edition.text),
        html=PLACEHOLDER_URL.sub(lambda found: profile.place % f"{found[1]}_html", edition.html),
        to=[recipient.address for recipient in recipients],
    )
    made.merge_headers = {r.address: _headers(edition, r) for r in recipients}
    made.merge_data = {r.address: dict(_merge_values(r, profile)) for r in recipients}
    made.merge_metadata = {r.address: {"delivery_id": r.delivery_id} for r in recipients}
    return made


def _merge_values(recipient: MergeRecipient, profile: ProviderProfile) -> Iterator[tuple[str, str]]:
    for place, url in recipient.urls.items():
        yield place, url
        yield f"{place}_html", url if profile.escapes else escape(url)


def _single_message(
    edition: EspEdition, profile: ProviderProfile, recipient: MergeRecipient
) -> _AnymailMessage:
    made = _new_message(
        edition,
        text=_fill(edition.text, recipient, str),
        html=_fill(edition.html, recipient, escape),
        to=[recipient.address],
        headers=_headers(edition, recipient),
    )
    if profile.metadata:
        made.metadata = {"delivery_id": recipient.delivery_id}
    return made


def _new_message(
    edition: EspEdition,
    *,
    text: str,
    html: str,
    to: list[str],
    headers: dict[str, str] | None = None,
) -> _AnymailMessage:
    made = _AnymailMessage(
        subject=edition.subject,
        body=text,
        from_email=edition.sender,
        to=to,
        reply_to=list(edition.reply_to) or None,
        headers=headers,
    )
    if html:
        made.attach_alternative(html, "text/html")
    return made


def _headers(edition: EspEdition, recipient: MergeRecipient) -> dict[str, str]:
    return {
        name: _fill(value, recipient, str) if name in edition.personal else value
        for name, value in edition.headers
    }


def _fill(text: str, recipient: MergeRecipient, write: Callable[[str], str]) -> str:
    return PLACEHOLDER_URL.sub(lambda found: write(recipient.urls[found[1]]), text)


class InlineImage(MIMEPart, MIMEBase):
    """An embedded picture. Django 5.2 attaches a MIMEBase, and Django 6 a MIMEPart."""

    def __init__(self, image: Image) -> None:
        maintype, _, subtype = image.type.partition("/")
        MIMEBase.__init__(self, maintype, subtype, policy=policy.default)
        ending = {"jpeg": "jpg", "svg+xml": "svg"}.get(subtype, subtype)
        self.set_content(
            image.content,
            maintype,
            subtype,
            disposition="inline",
            filename=f"{image.cid.partition('@')[0]}.{ending}",
            cid=f"<{image.cid}>",
        )
