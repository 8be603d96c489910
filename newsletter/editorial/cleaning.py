"""Clean editors' HTML before it is stored.

Pictures are removed too, because neither pages nor emails load anything from other sites (P4).
An article's own picture is a field of the article.
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
    # In an email, a relative URL leads nowhere, and "//host" takes the scheme of the email app.
    url_relative=lambda url: url if url.startswith("#") else None,
    link_rel=None,
)


def clean_html(html: str) -> str:
    """Return the allowed part of `html`, with headings from h2 down and without empty elements.

    Cleaning is idempotent.
    """
    renamed = _TAG.sub(lambda tag: f"<{tag[1]}{_RENAMED[tag[2].lower()]}", html)
    text = _cleaner.clean(renamed).strip()
    while (shorter := _EMPTY.sub("", text)) != text:
        text = shorter.strip()
    return text
