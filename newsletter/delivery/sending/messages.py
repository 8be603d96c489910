"""Turn a stored edition into what a transport takes: an Email, and a Recipient per reader."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.core.files.storage import default_storage

from newsletter.delivery.message_ids import MAILING, delivery_id_factory
from newsletter.delivery.models import Edition
from newsletter.editorial.models import Newsletter
from newsletter.lib.placeholders import Placeholder
from newsletter.transport.outcomes import Email, Image, Recipient
from subscribers import discreet_domain
from subscribers.audience import Reader
from subscribers.links import reader_urls
from subscribers.links.unsubscribe_email import mailto_urls

_MakeUrl = Callable[[int], str]
_UNSUBSCRIBE, _PREFERENCES = Placeholder.UNSUBSCRIBE.value, Placeholder.PREFERENCES.value
_UNSUBSCRIBE_EMAIL = Placeholder.UNSUBSCRIBE_EMAIL.value
_MAILTO = f", <{Placeholder.UNSUBSCRIBE_EMAIL.url}>"
"""Follows the one-click URL in List-Unsubscribe (A7); discreet emails don't have it."""


def sender_headers(
    newsletter: Newsletter, *, sender_name: str, language: str, campaign: str
) -> dict[str, object]:
    """Return an edition's sender and list headers, as Edition.headers stores them (A4, A8–A10).

    List-* headers hold ASCII only: with encoded words in them, email programs don't show the
    Unsubscribe button.
    """
    campaign_id = f"{campaign}:{language}:{newsletter.slug}:{settings.FEEDBACK_SENDER_ID}"
    domain = newsletter.list_domain or newsletter.sender_address.rpartition("@")[2]
    mailto = _MAILTO if settings.INBOUND_DOMAIN else ""
    feedback = ["Feedback-ID", campaign_id]
    return {
        "from_name": sender_name,
        "from_address": newsletter.sender_address,
        "reply_to": newsletter.reply_to,
        "headers": _list_headers(newsletter.slug, language, domain, feedback, mailto=mailto),
    }


def discreet_headers(language: str) -> dict[str, object]:
    """Return the headers for discreet readers: nothing in them names the newsletter."""
    domain = settings.DISCREET_SENDER.rpartition("@")[2]
    return {
        "from_name": settings.DISCREET_NAME,
        "from_address": settings.DISCREET_SENDER,
        "reply_to": "",
        "headers": _list_headers("letter", language, domain),
    }


def _list_headers(
    name: str, language: str, domain: str, *more: list[str], mailto: str = ""
) -> list[list[str]]:
    return [
        ["List-Id", f"{name} <{name}.{language}.{domain.encode('idna').decode()}>"],
        ["List-Unsubscribe", f"<{Placeholder.UNSUBSCRIBE.url}>{mailto}"],
        ["List-Unsubscribe-Post", "List-Unsubscribe=One-Click"],
        *more,
        ["Content-Language", language],
        ["Precedence", "bulk"],
    ]


def build_email(edition: Edition) -> Email:
    """Return the stored edition as an Email.

    Its image files are those of the snapshot: a file's name holds its hash, so it never changes.
    Without INBOUND_DOMAIN nobody would read an email to `unsub+CODE@`, so a header that was stored
    while there was one no longer offers it.
    """
    headers = edition.headers
    dropped = "" if settings.INBOUND_DOMAIN else _MAILTO
    return Email(
        from_name=headers["from_name"],
        from_address=headers["from_address"],
        reply_to=headers["reply_to"],
        subject=edition.subject,
        text=edition.text,
        html=edition.html,
        headers=tuple((name, value.replace(dropped, "")) for name, value in headers["headers"]),
        images=tuple(_image(image) for image in edition.images),
    )


def _image(stored: dict[str, str]) -> Image:
    with default_storage.open(stored["name"]) as file:
        return Image(cid=stored["cid"], content=file.read(), type=stored["type"])


def recipient_factory(mailing_id: int) -> Callable[[int, Reader], Recipient]:
    """Return a function from a position in the batch and a reader to a Recipient.

    Its URLs fill the edition's placeholders. Keys, site and routes are looked up only once.
    """
    identify = delivery_id_factory(MAILING, mailing_id)
    domain = settings.INBOUND_DOMAIN
    unsubscribe_email = mailto_urls(domain=domain) if domain else None

    @cache
    def url_makers(language: str, discreet: bool) -> tuple[_MakeUrl, _MakeUrl]:  # noqa: FBT001 - part of the cache key
        site = discreet_domain.site_of(discreet=discreet)
        return reader_urls.one_click_urls(site=site), reader_urls.preferences_urls(
            language, site=site
        )

    def build(position: int, reader: Reader) -> Recipient:
        subscriber_id, subscription_id, address, language, discreet = reader
        one_click, preferences = url_makers(language, discreet)
        urls = {_UNSUBSCRIBE: one_click(subscription_id)}
        urls[_PREFERENCES] = preferences(subscription_id)
        if unsubscribe_email is not None and not discreet:
            urls[_UNSUBSCRIBE_EMAIL] = unsubscribe_email(subscription_id)
        return Recipient(position, address, identify(subscriber_id), urls)

    return build
