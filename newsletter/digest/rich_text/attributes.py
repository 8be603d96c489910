"""The attributes of allowed elements, checked one by one."""

from __future__ import annotations

from urllib.parse import quote, unquote, urlsplit

from django.conf import settings

from newsletter.digest.rich_text.table import LANGUAGE, LIST_TYPES, SCHEMES
from newsletter.digest.rich_text.tree import Element, Node

MAX_PIXELS = 20_000


def link_target(url: str) -> str:
    """Return the URL of a link if it may be kept: absolute, or a path on this site. Else ""."""
    url = url.strip()
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme in SCHEMES:
        return url if parts.netloc or parts.scheme == "mailto" else ""
    return url if url.startswith("/") and not url.startswith("//") else ""


def language_of(node: Element) -> str:
    lang = node.attrs.get("lang", "").strip()
    return lang if LANGUAGE.fullmatch(lang) else ""


def list_attributes(node: Element, items: list[Element]) -> dict[str, str]:
    if node.tag != "ol":
        return {}
    attrs: dict[str, str] = {}
    start = node.attrs.get("start") or next((item.attrs.get("value", "") for item in items), "")
    if start.isascii() and start.isdecimal() and len(start) < 6 and int(start) != 1:
        attrs["start"] = str(int(start))
    if node.attrs.get("type") in LIST_TYPES:
        attrs["type"] = node.attrs["type"]
    return attrs


def picture_attributes(node: Element) -> dict[str, str]:
    """Return the alt text, and the size if it is known."""
    attrs = {"alt": " ".join(node.attrs.get("alt", "").split())}
    for name in ("width", "height"):
        value = node.attrs.get(name, "")
        if value.isascii() and value.isdecimal() and 0 < int(value[:9]) < MAX_PIXELS:
            attrs[name] = str(int(value))
    return attrs


def is_space(node: Node) -> bool:
    return isinstance(node, str) and not node.strip(" \t\n\r\f")


def media_name(url: str) -> str:
    """Return the name of our own picture in the media storage, or "" for any other URL."""
    media = settings.MEDIA_URL
    return unquote(url.removeprefix(media)) if url.startswith(media) else ""


def media_url(name: str) -> str:
    """Return the URL of a file in the media storage, as texts contain it."""
    return f"{settings.MEDIA_URL}{quote(name)}"
