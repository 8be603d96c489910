"""Rich text in an email, for email apps that know little of HTML."""

from __future__ import annotations

import hashlib
import mimetypes

from newsletter.digest import labels
from newsletter.digest.content import InlineImage, Pictures
from newsletter.digest.rich_text.attributes import media_name
from newsletter.digest.rich_text.copies import EmailCopies, images_in, use_email_copies
from newsletter.digest.rich_text.links import Place, prepare
from newsletter.digest.rich_text.structure import canonical
from newsletter.digest.rich_text.tree import Element, Node, serialize

TEXT_WIDTH = 552
"""Width of the column in CSS pixels."""


def for_email(
    html: str,
    *,
    site_url: str,
    language: str,
    pictures: Pictures = "linked",
    prefix: str = "",
    copies: EmailCopies | None = None,
) -> str:
    """Return the HTML for an email: absolute links, and headings from h3 down.

    `prefix` begins the footnotes' IDs, because several articles share an email.
    """
    blocks = canonical(html)
    use_email_copies(blocks, copies or {})
    names = {id(each): media_name(each.attrs["src"]) for each in images_in(blocks)}
    place = Place(language, site_url, prefix)
    prepare(blocks, place)
    _lower_headings(blocks)
    for image in images_in(blocks):
        if pictures == "embedded" and names[id(image)]:
            image.attrs["src"] = f"cid:{_content_id(names[id(image)])}"
    return serialize(_convert(block, place, pictures) for block in blocks)


def embedded_pictures(html: str, copies: EmailCopies | None = None) -> list[InlineImage]:
    """Return the pictures inside a text that an email with embedded pictures has to contain."""
    if "<img" not in html:
        return []
    blocks = canonical(html)
    use_email_copies(blocks, copies or {})
    names = dict.fromkeys(media_name(each.attrs["src"]) for each in images_in(blocks))
    return [
        InlineImage(_content_id(name), name, mimetypes.guess_type(name)[0] or "image/jpeg")
        for name in names
        if name
    ]


def _content_id(name: str) -> str:
    """Return a Content-ID for the file, in the form of an email address (RFC 2392)."""
    return f"text-{hashlib.sha256(name.encode()).hexdigest()[:16]}@digest.invalid"


def _lower_headings(blocks: list[Element]) -> None:
    """Shift headings so that the highest is an h3, because the headline is an h2 (A13)."""
    everything = [each for block in blocks for each in (block, *block.elements())]
    headings = [each for each in everything if each.tag in {"h2", "h3", "h4"}]
    shift = 3 - min((int(each.tag[1]) for each in headings), default=3)
    for each in headings:
        each.tag = f"h{min(int(each.tag[1]) + shift, 6)}"


def _convert(node: Node, place: Place, pictures: Pictures) -> Node:
    """Replace elements that Outlook and others don't know."""
    if isinstance(node, str):
        return node
    children = [_convert(child, place, pictures) for child in node.children]
    match node.tag:
        case "figure":
            return Element("div", children, {"class": "figure"})
        case "figcaption":
            return Element("p", children, {"class": "caption"})
        case "img" if pictures == "none":
            label = labels.picture(node.attrs.get("alt", ""), place.language)
            return Element("p", [f"[{label}]"], {"class": "caption"})
        case "img":
            return Element("img", attrs={**node.attrs, **_size(node)})
        case "footer":
            return Element("p", ["— ", *children], {"class": "source"})
        case "table":
            attrs = {"class": "data", "border": "0", "cellpadding": "0", "cellspacing": "0"}
            return Element("table", children, {**attrs, "width": "100%"})
    return Element(node.tag, children, node.attrs)


def _size(image: Element) -> dict[str, str]:
    """Return the width for Outlook, which ignores `max-width`, and the height that goes with it."""
    width = int(image.attrs.get("width", TEXT_WIDTH))
    height = int(image.attrs.get("height", 0))
    shown = min(width, TEXT_WIDTH)
    size = {"width": str(shown)}
    if height and "width" in image.attrs:
        size["height"] = str(round(height * shown / width))
    return size
