"""Pictures inside a text: only ours are kept, because nothing is loaded from elsewhere (P4)."""

from __future__ import annotations

import re

from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import default_storage

from newsletter.digest.rich_text.attributes import media_name
from newsletter.digest.rich_text.tree import Element, Node
from newsletter.editorial.rich_text.dropped import Kind, Report
from newsletter.editorial.rich_text.styles import style_of

_TINY = re.compile(r"[01](\.\d+)?\s*(px|pt)?")


def prepare(node: Element, report: Report) -> None:
    """Remove the pictures that aren't ours. A picture of an emoji becomes that character."""
    children: list[Node] = []
    for child in node.children:
        if isinstance(child, str) or child.tag != "img":
            if isinstance(child, Element):
                prepare(child, report)
            children.append(child)
        elif name := _own_name(child.attrs.get("src", "")):
            child.attrs["src"] = f"{settings.MEDIA_URL}{name}"
            children.append(child)
        elif _is_emoji(child.attrs.get("alt", "")):
            children.append(child.attrs["alt"])
        else:
            kind = Kind.PIXEL if _is_pixel(child) else Kind.PICTURE
            report.add(kind, _description(child))
    node.children = children


def _own_name(source: str) -> str:
    """Return the path below MEDIA_URL of one of our pictures, as written, or ""."""
    source = source.strip().removeprefix(settings.SITE_URL).partition("?")[0]
    name = media_name(source)
    try:
        found = bool(name) and default_storage.exists(name)
    except (SuspiciousFileOperation, ValueError):  # outside the folder; NUL in the name
        return ""
    return source.removeprefix(settings.MEDIA_URL) if found else ""


def _is_emoji(text: str) -> bool:
    return 0 < len(text) <= 8 and not any(c.isalnum() or c.isascii() for c in text)


def _is_pixel(node: Element) -> bool:
    style = style_of(node)
    sizes = [node.attrs.get(name) or style.get(name, "") for name in ("width", "height")]
    return any(_TINY.fullmatch(size) for size in sizes)


def _description(node: Element) -> str:
    source = node.attrs.get("src", "")
    alt = node.attrs.get("alt", "").strip()
    if source.startswith("data:"):
        source = "data:…"
    return f"{alt} ({source})" if alt and source else alt or source or "img"
