"""An edition as a transport wants it: a Mail with its headers, and a reader's places."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import cache

from django.conf import settings
from django.core.files.storage import default_storage

from newsletter.delivery.message_ids import MAILING, delivery_id_factory
from newsletter.delivery.models import Edition
from newsletter.digest.content import RenderedEmail
from newsletter.editorial.models import Newsletter
from newsletter.lib.placeholders import Placeholder
from newsletter.transport.outcomes import Email, Image, Recipient
from subscribers import discreet_domain
from subscribers.audience import Reader
from subscribers.links import reader_urls

_UNSUBSCRIBE, _PREFERENCES = Placeholder.UNSUBSCRIBE.value, Placeholder.PREFERENCES.value


def sender_headers(
    newsletter: Newsletter, *, sender_name: str, language: str, campaign: str
) -> dict[str, object]:
    """What an edition stores beside its text: who sends it, and the list headers (A4, A8–A10).

    List-* headers hold ASCII only: encoded words in them make mail programs drop the button.
    """
    domain = newsletter.list_domain or newsletter.sender_address.rpartition("@")[2]
    list_id = f"{newsletter.slug}.{language}.{domain.encode('idna').decode()}"
    return {
        "from_name": sender_name,
        "from_address": newsletter.sender_address,
        "reply_to": newsletter.reply_to,
        "headers": [
            ["List-Id", f"{newsletter.slug} <{list_id}>"],
            ["List-Unsubscribe", f"<{Placeholder.UNSUBSCRIBE.url}>"],
            ["List-Unsubscribe-Post", "List-Unsubscribe=One-Click"],
            [
                "Feedback-ID",
                f"{campaign}:{language}:{newsletter.slug}:{settings.FEEDBACK_SENDER_ID}",
            ],
            ["Content-Language", language],
            ["Precedence", "bulk"],
        ],
    }


def discreet_headers(language: str) -> dict[str, object]:
    """The same for discreet readers: nothing names the newsletter."""
    domain = settings.DISCREET_SENDER.rpartition("@")[2].encode("idna").decode()
    return {
        "from_name": settings.DISCREET_NAME,
        "from_address": settings.DISCREET_SENDER,
        "reply_to": "",
        "headers": [
            ["List-Id", f"letter <letter.{language}.{domain}>"],
            ["List-Unsubscribe", f"<{Placeholder.UNSUBSCRIBE.url}>"],
            ["List-Unsubscribe-Post", "List-Unsubscribe=One-Click"],
            ["Content-Language", language],
            ["Precedence", "bulk"],
        ],
    }


def stored_images(rendered: RenderedEmail) -> list[dict[str, str]]:
    return [asdict(image) for image in rendered.images]


def build_email(edition: Edition) -> Email:
    """The frozen edition as a Mail. Picture files never change: their names hold their hash."""
    headers = edition.headers
    return Email(
        from_name=headers["from_name"],
        from_address=headers["from_address"],
        reply_to=headers["reply_to"],
        subject=edition.subject,
        text=edition.text,
        html=edition.html,
        headers=tuple((name, value) for name, value in headers["headers"]),
        images=tuple(_image(image) for image in edition.images),
    )


def _image(stored: dict[str, str]) -> Image:
    with default_storage.open(stored["name"]) as file:
        return Image(cid=stored["cid"], content=file.read(), type=stored["type"])


def build_recipient(position: int, mailing_id: int, reader: Reader) -> Recipient:
    """A reader with the URLs for an edition's places."""
    return recipient_factory(mailing_id)(position, reader)


def recipient_factory(mailing_id: int) -> Callable[[int, Reader], Recipient]:
    """`recipient` for many at a time: what they share (keys, site, routes) is looked up once."""
    identify = delivery_id_factory(MAILING, mailing_id)

    @cache
    def urls(language: str, discreet: bool) -> tuple[Callable[[int], str], Callable[[int], str]]:  # noqa: FBT001 - an argument of the cache
        site = discreet_domain.site_of(discreet=discreet)
        return reader_urls.one_click_urls(site=site), reader_urls.preferences_urls(
            language, site=site
        )

    def made(position: int, reader: Reader) -> Recipient:
        subscriber_id, subscription_id, address, language, discreet = reader
        one_click, preferences = urls(language, discreet)
        places = {_UNSUBSCRIBE: one_click(subscription_id)}
        places[_PREFERENCES] = preferences(subscription_id)
        return Recipient(position, address, identify(subscriber_id), places)

    return made
