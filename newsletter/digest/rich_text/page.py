"""Rich text on a page of the site, and in a feed."""

from __future__ import annotations

from newsletter.digest import labels
from newsletter.digest.rich_text.copies import SiteCopies, images_in, offer_site_copies
from newsletter.digest.rich_text.links import Place, prepare
from newsletter.digest.rich_text.structure import canonical
from newsletter.digest.rich_text.tree import Element, Node, serialize


def for_page(
    html: str, *, language: str, prefix: str = "", copies: SiteCopies | None = None
) -> str:
    """Return the HTML for a page: footnotes are linked, and wide tables can be scrolled.

    `prefix` begins the footnotes' IDs if a page shows several texts.
    """
    place = Place(language, prefix=prefix)
    blocks = canonical(html)
    offer_site_copies(blocks, copies or {})
    prepare(blocks, place)
    for image in images_in(blocks):
        image.attrs["loading"] = "lazy"
    return serialize(_scrollable(blocks, place))


def for_feed(html: str, *, language: str, site_url: str, prefix: str = "") -> str:
    """Return the HTML for a feed, with absolute URLs."""
    blocks = canonical(html)
    prepare(blocks, Place(language, site_url, prefix))
    return serialize(blocks)


def _scrollable(blocks: list[Element], place: Place) -> list[Node]:
    """Put each table that isn't inside something else into a region that can be scrolled."""
    nodes: list[Node] = []
    for block in blocks:
        if block.tag != "table":
            nodes.append(block)
            continue
        captions = [each for each in block.elements() if each.tag == "caption"]
        label = captions[0].text() if captions else labels.table(place.language)
        region = {"class": "table", "role": "region", "aria-label": label, "tabindex": "0"}
        nodes.append(Element("div", [block], region))
    return nodes
