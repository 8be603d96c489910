"""Prepare editors' HTML for an email and for its text part.

It was cleaned when it was saved. An email allows less: no pictures from other sites, no forms,
only absolute links, and headings below the article's own.
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
    """Return clean HTML with absolute links and with headings from h3 down."""
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
    # Only the text stays of a link whose URL was removed ("javascript:…").
    return _lower_headings(_EMPTY_LINK.sub(r"\1", cleaned)).strip()


def as_text(fragment: str) -> str:
    """Return the fragment as plain text, with the URL of each link after its text."""
    return _to_text(_LINK.sub(_with_url, fragment)).strip("\n")


def paragraph_text(fragment: str) -> str:
    """Return the paragraphs as plain text without URLs, or everything if there are none."""
    paragraphs = "".join(match[0] for match in _PARAGRAPH.finditer(fragment))
    return _to_text(_LINK.sub(r"\2", paragraphs or fragment)).strip()


def _to_text(fragment: str) -> str:
    # Imported on first use: processes that only send are 4 MB smaller without it.
    from inscriptis import get_text
    from inscriptis.css_profiles import CSS_PROFILES
    from inscriptis.model.config import ParserConfig

    # The default profile puts spaces around a span.
    return str(get_text(fragment, ParserConfig(css=CSS_PROFILES["strict"])))


def excerpt(text: str, *, least: int, most: int) -> str:
    """Return `text` on one line, cut between words to at most `most` characters.

    The cut is after `least` characters, in the middle of a word if need be.
    """
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    cut = line[: most - 1]
    space = cut.rfind(" ", least)
    return (cut[:space] if space > 0 else cut).rstrip(" ,;:–—-.") + "…"


def _absolute(url: str, site_url: str) -> str | None:
    """Return the absolute URL, or None, which drops the attribute, if it's invalid ("http://[")."""
    try:
        return urljoin(f"{site_url}/", url)
    except ValueError:
        return None


def _lower_headings(html: str) -> str:
    """Shift headings so that the highest is an h3, because the headline is an h2 (A13)."""
    levels = [int(level) for _, level, _ in _HEADING.findall(html)]
    shift = 3 - min(levels, default=3)
    return _HEADING.sub(lambda m: f"<{m[1]}h{min(int(m[2]) + shift, 6)}{m[3]}", html)


def _with_url(link: re.Match[str]) -> str:
    url, text = link[1], link[2]
    if unescape(text).strip() == unescape(url):
        return url
    return f"{text} ({url})"
