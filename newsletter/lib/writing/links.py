"""What can be wrong with a link in a text, told from its address and its words alone."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import urlsplit

from newsletter.lib.private_paths import TOKEN_IN_PATH


class LinkFault(StrEnum):
    EMPTY = "empty"
    """“#”, or no address at all."""
    RELATIVE = "relative"
    """Relative to a page, which an email doesn't have. Paths from the site's root are completed."""
    SCHEME = "scheme"
    """`data:`, `file:`, `javascript:` and other schemes that no reader can open."""
    PRIVATE = "private"
    """To the desk, or with a reader's token in it."""
    LOCAL = "local"
    """To a machine that readers can't reach."""
    SHORTENER = "shortener"
    """Readers can't see where it leads, and spam filters don't like it."""
    LOOKALIKE = "lookalike"
    """A host that mixes two alphabets."""
    VAGUE = "vague"
    """Its words don't say where it leads: “here”."""


ERRORS = {LinkFault.EMPTY, LinkFault.RELATIVE, LinkFault.SCHEME, LinkFault.PRIVATE, LinkFault.LOCAL}
"""Links that don't work for readers, or that harm one. The others are doubtful."""


class Link(NamedTuple):
    href: str
    text: str


_SHORTENERS = {
    *("bit.ly", "t.co", "goo.gl", "tinyurl.com", "ow.ly", "is.gd", "buff.ly", "clck.ru"),
    *("cutt.ly", "rebrand.ly", "lnkd.in", "vk.cc", "shorturl.at", "rb.gy", "t.ly"),
}
_VAGUE = {
    *("here", "click here", "link", "this link", "read more", "more"),
    *("тут", "сюды", "спасылка", "чытаць далей", "далей", "націсніце тут"),
    *("здесь", "сюда", "ссылка", "читать далее", "далее", "нажмите здесь"),
}
_LOCAL_HOST = re.compile(r"^(localhost|127\.|10\.|192\.168\.|\[?::1)|\.(local|invalid|test)$")


def links_in(html: str) -> list[Link]:
    """Return the links of a text, in order, each with its words."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.links


def faults_of(link: Link, *, site: str) -> list[LinkFault]:
    """Return what is wrong with the link. `site` is our own address, such as https://news.example."""
    href = link.href.strip()
    if not href or href == "#":
        return [LinkFault.EMPTY]
    if href.startswith("#"):
        return []  # to a note of the same text
    parts = urlsplit(href)
    found = [fault for fault in (_of_address(parts, site),) if fault]
    words = link.text.casefold().strip(' .…»«"→')
    if words in _VAGUE:
        found.append(LinkFault.VAGUE)
    return found


def _of_address(parts: object, site: str) -> LinkFault | None:
    scheme, host, path = parts.scheme, parts.hostname or "", parts.path  # type: ignore[attr-defined]
    if scheme in {"mailto", "tel"}:
        return None
    if not scheme and not host:
        return _of_path(path)
    if scheme not in {"http", "https"}:
        return LinkFault.SCHEME
    own = urlsplit(site).hostname or ""
    if host != own and _LOCAL_HOST.search(host):
        return LinkFault.LOCAL
    if host == own and _is_private(path):
        return LinkFault.PRIVATE
    if host.removeprefix("www.") in _SHORTENERS:
        return LinkFault.SHORTENER
    if _mixes_alphabets(host):
        return LinkFault.LOOKALIKE
    return None


def _of_path(path: str) -> LinkFault | None:
    """Judge a link without a host. Only from the site's root it is completed in emails."""
    if not path.startswith("/"):
        return LinkFault.RELATIVE
    return LinkFault.PRIVATE if _is_private(path) else None


def _is_private(path: str) -> bool:
    return path.startswith("/admin/") or TOKEN_IN_PATH.search(path) is not None


def _mixes_alphabets(host: str) -> bool:
    if "xn--" in host:
        try:
            host = host.encode("ascii").decode("idna")
        except UnicodeError:
            return True
    for label in host.split("."):
        scripts = {unicodedata.name(c, "").partition(" ")[0] for c in label if c.isalpha()}
        if {"LATIN", "CYRILLIC"} <= scripts:
            return True
    return False


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[Link] = []
        self._open: str | None = None
        self._words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self._open, self._words = dict(attrs).get("href") or "", []

    def handle_data(self, data: str) -> None:
        if self._open is not None:
            self._words.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._open is not None:
            self.links.append(Link(self._open, " ".join("".join(self._words).split())))
            self._open = None
