"""An editor's HTML made fit for a mail, and for its text part.

It was cleaned when it was saved. Here it is held to what a mail may contain: no picture that
would be loaded from elsewhere, no form, absolute links, and headings below an article's own.
"""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urljoin

import nh3

_TAGS = {
    *("p", "br", "hr", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote"),
    *("a", "em", "strong", "b", "i", "u", "s", "sub", "sup", "small", "q", "cite", "span"),
    *("table", "thead", "tbody", "tr", "th", "td", "caption", "figcaption"),
}
_ATTRIBUTES = {"a": {"href"}, "*": {"lang", "dir"}, "td": {"colspan"}, "th": {"colspan", "scope"}}
_WITH_CONTENT = {"script", "style", "iframe", "object", "noscript", "template", "svg", "form"}
_HEADING = re.compile(r"<(/?)h([2-6])([ >])")
_EMPTY_LINK = re.compile(r"<a(?![^>]*\bhref=)[^>]*>(.*?)</a>", re.DOTALL)
_PARAGRAPH = re.compile(r"<p[ >].*?</p>", re.DOTALL)
_LINK = re.compile(r'<a (?:[^>]* )?href="([^"]*)"[^>]*>(.*?)</a>', re.DOTALL)


def for_email(html: str, *, site_url: str) -> str:
    """Clean HTML with headings from h3 down, links absolute to `site_url`."""
    cleaned = nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        clean_content_tags=_WITH_CONTENT,
        attribute_filter=lambda _tag, name, value: (
            _absolute(value, site_url) if name == "href" else value
        ),
        url_schemes={"http", "https", "mailto"},
        link_rel=None,
    )
    # A link whose address was refused ("javascript:") is no link.
    return _below_article(_EMPTY_LINK.sub(r"\1", cleaned)).strip()


def as_text(fragment: str) -> str:
    """The fragment as plain text, with each link's address behind its words."""
    return _laid_out(_LINK.sub(_with_address, fragment)).strip("\n")


def paragraph_text(fragment: str) -> str:
    """Its paragraphs as plain text, without headings, lists and addresses; all, where none."""
    paragraphs = "".join(match[0] for match in _PARAGRAPH.finditer(fragment))
    return _laid_out(_LINK.sub(r"\2", paragraphs or fragment)).strip()


def _laid_out(fragment: str) -> str:
    # Loaded at its first use: a process that only sends is 4 MB smaller without it.
    from inscriptis import get_text
    from inscriptis.css_profiles import CSS_PROFILES
    from inscriptis.model.config import ParserConfig

    # The default profile sets spaces around a span.
    return str(get_text(fragment, ParserConfig(css=CSS_PROFILES["strict"])))


def excerpt(text: str, *, least: int, most: int) -> str:
    """`text` on one line, cut between words where it is longer than `most` characters."""
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    cut = line[: most - 1]
    space = cut.rfind(" ", least)
    return (cut[:space] if space > 0 else cut).rstrip(" ,;:–—-.") + "…"


def _absolute(address: str, site_url: str) -> str | None:
    """None, which drops it, for what is no address at all ("http://[")."""
    try:
        return urljoin(f"{site_url}/", address)
    except ValueError:
        return None


def _below_article(html: str) -> str:
    """Shifts headings so that the highest is an h3: an article's headline is an h2 (A13)."""
    levels = [int(level) for _, level, _ in _HEADING.findall(html)]
    shift = 3 - min(levels, default=3)
    return _HEADING.sub(lambda m: f"<{m[1]}h{min(int(m[2]) + shift, 6)}{m[3]}", html)


def _with_address(link: re.Match[str]) -> str:
    address, words = link[1], link[2]
    if unescape(words).strip() == unescape(address):
        return address
    return f"{words} ({address})"
