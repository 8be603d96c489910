"""The words that a reader of some HTML sees, found without the project's own parser."""

from __future__ import annotations

import lxml.html

INLINE = {
    *("a", "abbr", "b", "cite", "code", "del", "em", "font", "i", "label", "made-up", "mark"),
    *("o:p", "s", "small", "span", "strong", "sub", "sup", "tg-spoiler", "u"),
}


def words_of(html: str) -> list[str]:
    """Return the words in order. Blocks and line breaks separate them; marks don't.

    The numbers of footnotes and the arrows back to the text don't count, and neither does the dash
    that an email puts before the source of a quotation.
    """
    root = lxml.html.fragment_fromstring(html, create_parent="div") if html.strip() else None
    if root is None:
        return []
    parts: list[str] = []
    _collect(root, parts)
    return [word for word in "".join(parts).split() if word != "—"]


def element_html(page: str, name: str) -> str:
    """Return the HTML of the first element of a page with the class `name`."""
    found = lxml.html.document_fromstring(page).find_class(name)[0]
    return str(lxml.html.tostring(found, encoding="unicode", with_tail=False))


def plain(words: str) -> list[str]:
    """Return the words of a text that was written by hand, as `words_of` returns them."""
    return [word for word in words.split() if word != "—"]


def _collect(node: lxml.html.HtmlElement, parts: list[str]) -> None:
    tag = node.tag if isinstance(node.tag, str) else "!"
    skipped = tag == "!" or _is_reference(node) or "back" in node.get("class", "").split()
    separator = "" if tag in INLINE else " "
    parts.append(separator)
    if not skipped:
        parts.append(node.text or "")
        for child in node:
            _collect(child, parts)
            parts.append(child.tail or "")
    parts.append(separator)


def _is_reference(node: lxml.html.HtmlElement) -> bool:
    """Return whether this is our reference to a footnote."""
    if node.tag != "sup" or node.get("class") != "note":
        return False
    return any("note-" in link.get("href", "") for link in node.iter("a"))
