"""What editors' HTML may hold. Everything else is taken out before it is stored.

Pictures from elsewhere are dropped with the rest: a page or mail loads nothing of others
(P4). The article's own picture has a field.
"""

from __future__ import annotations

import re

import nh3

TAGS = {"p", "h2", "h3", "h4", "strong", "em", "a", "ul", "ol", "li", "blockquote", "br"}

_RENAMED = {"b": "strong", "i": "em", "h1": "h2", "h5": "h4", "h6": "h4"}
_TAG = re.compile(r"<(/?)(b|i|h1|h5|h6)(?=[\s/>])", re.IGNORECASE)
_EMPTY = re.compile(r"<(p|h[234]|strong|em|li|blockquote|a)(?:\s[^>]*)?>(?:\s|&nbsp;|<br>)*</\1>")

_cleaner = nh3.Cleaner(
    tags=TAGS,
    clean_content_tags=(
        {"script", "style", "template", "noscript", "iframe", "object"}
        | {"svg", "math", "textarea", "select", "title"}
    ),
    attributes={"a": {"href"}},
    url_schemes={"http", "https", "mailto"},
    # A relative address leads elsewhere in a mail; "//host" would take the mail program's scheme.
    url_relative=lambda url: url if url.startswith("#") else None,
    link_rel=None,
)


def clean_html(html: str) -> str:
    """The allowed part of `html`; headings begin at h2, empty elements are dropped.

    Cleaning what was cleaned changes nothing.
    """
    renamed = _TAG.sub(lambda tag: f"<{tag[1]}{_RENAMED[tag[2].lower()]}", html)
    text = _cleaner.clean(renamed).strip()
    while (shorter := _EMPTY.sub("", text)) != text:
        text = shorter.strip()
    return text
