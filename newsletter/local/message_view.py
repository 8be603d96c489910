"""Prepare a message for display in a page: its parts, its inline images, light and dark mode."""

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
    """Return the text/plain part, or ""."""
    return _content(message, "plain")


def html(message: EmailMessage) -> str:
    """Return the text/html part, or ""."""
    return _content(message, "html")


def _content(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part is not None else ""


def inline_image(message: EmailMessage, cid: str) -> tuple[str, bytes] | None:
    """Return type and bytes of the image with that Content-ID, or None.

    SVG isn't supported: it can contain scripts.
    """
    for part in message.walk():
        if str(part.get("Content-ID", "")).strip("<> ") == cid:
            kind = part.get_content_type()
            content = part.get_payload(decode=True)
            return (kind, content) if kind in IMAGE_TYPES and isinstance(content, bytes) else None
    return None


def framed_html(html: str, *, dark: bool, image_url: Callable[[str], str]) -> str:
    """Return the HTML for a frame: links open in the whole window, inline images come from
    `image_url`, and the media queries for dark mode match only if `dark` is true."""
    html = CID.sub(lambda found: image_url(found[1]), html)
    html = DARK.sub(ALWAYS if dark else NEVER, html)
    html = LIGHT.sub(NEVER if dark else ALWAYS, html)
    head = '<base target="_top">'
    if not dark:
        head += "<style>:root { color-scheme: only light; }</style>"
    with_head, found = re.subn(r"(<head\b[^>]*>)", rf"\g<1>{head}", html, count=1, flags=re.I)
    return with_head if found else head + html
