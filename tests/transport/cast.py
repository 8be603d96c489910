"""The emails and recipients of the transports' tests."""

from __future__ import annotations

from typing import Any

from newsletter.lib.placeholders import Placeholder
from newsletter.transport.outcomes import Email, Image, Recipient

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c020000000b4944415478da6364"
    "f80f00010501012718e3660000000049454e44ae426082"
)
HEADERS = (
    ("List-Unsubscribe", f"<{Placeholder.UNSUBSCRIBE.url}>"),
    ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    ("List-Id", "Week in View <weekly.en.news.example.org>"),
    ("Feedback-ID", "weekly:en:17:tydzen"),
    ("Content-Language", "be"),
)


def make_email(**changes: Any) -> Email:
    """Return a digest in Belarusian; `changes` are fields of Email."""
    fields: dict[str, Any] = {
        "from_name": "Тыдзень у фокусе, рэдакцыя",
        "from_address": "desk@news.example.org",
        "reply_to": "editors@news.example.org",
        "subject": "Бяспека: межы адкрытыя — і што далей",
        "text": (
            "Тыдзень.\n\n.Радок з кропкай\nFrom here on = ok\n\n"
            f"Адпісацца: {Placeholder.UNSUBSCRIBE.url}\n"
        ),
        "html": (
            f'<html lang="be"><body><p>Тыдзень ёсць.</p><p><a href="{Placeholder.UNSUBSCRIBE.url}">'
            f'Адпісацца</a> · <a href="{Placeholder.PREFERENCES.url}">Налады</a></p></body></html>'
        ),
        "headers": HEADERS,
    }
    return Email(**{**fields, **changes})


INLINE_IMAGE = Image(cid="image-1", content=PIXEL, type="image/png")


def urls(delivery_id: str) -> dict[str, str]:
    """Return a reader's URLs, as long as real ones and with an ampersand."""
    token = f"1.{delivery_id}." + "aZ09-_" * 16
    pages = {
        each.value: f"https://news.example.org/{each.value}/{token}/?a=1&b=2"
        for each in Placeholder
    }
    address = f"unsub+{delivery_id.ljust(44, '2')}@bounces.example.org"
    return {**pages, Placeholder.UNSUBSCRIBE_EMAIL.value: f"mailto:{address}?subject=unsubscribe"}


def reader(position: int, address: str = "") -> Recipient:
    delivery_id = f"d{position:05}"
    return Recipient(
        position, address or f"reader{position}@mail.example", delivery_id, urls(delivery_id)
    )


def readers(count: int) -> list[Recipient]:
    return [reader(position) for position in range(count)]
