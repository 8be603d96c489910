"""A mail made fit to be shown in a page: its parts, its pictures, its look in light or dark."""

from __future__ import annotations

import re
from collections.abc import Callable
from email.message import EmailMessage

CID = re.compile(r"""cid:([^"'()\s>]+)""")
DARK = re.compile(r"\(\s*prefers-color-scheme\s*:\s*dark\s*\)")
LIGHT = re.compile(r"\(\s*prefers-color-scheme\s*:\s*light\s*\)")
IMAGE_TYPES = {"image/jpeg", "image/png", "image/gif", "image/webp"}
ALWAYS, NEVER = "(min-width: 0)", "(max-width: 0)"


def plain_text(message: EmailMessage) -> str:
    """The text/plain part, or ""."""
    return _content(message, "plain")


def html(message: EmailMessage) -> str:
    """The text/html part, or ""."""
    return _content(message, "html")


def _content(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part is not None else ""


def inline_image(message: EmailMessage, cid: str) -> tuple[str, bytes] | None:
    """Type and bytes of the picture with that Content-ID, or None. No SVG: it can hold scripts."""
    for part in message.walk():
        if str(part.get("Content-ID", "")).strip("<> ") == cid:
            kind = part.get_content_type()
            content = part.get_payload(decode=True)
            return (kind, content) if kind in IMAGE_TYPES and isinstance(content, bytes) else None
    return None


def framed_html(html: str, *, dark: bool, picture_url: Callable[[str], str]) -> str:
    """The HTML as a browser's own page: links open in the whole window, pictures from the mail
    come from `picture_url`, and the media queries for dark answer as asked."""
    html = CID.sub(lambda found: picture_url(found[1]), html)
    html = DARK.sub(ALWAYS if dark else NEVER, html)
    html = LIGHT.sub(NEVER if dark else ALWAYS, html)
    head = '<base target="_top">'
    if not dark:
        head += "<style>:root { color-scheme: only light; }</style>"
    with_head, found = re.subn(r"(<head\b[^>]*>)", rf"\g<1>{head}", html, count=1, flags=re.I)
    return with_head if found else head + html
