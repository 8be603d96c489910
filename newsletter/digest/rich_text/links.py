"""What all channels do with a canonical text: links that work, and the direction of passages."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urljoin

from newsletter.digest import labels
from newsletter.digest.rich_text.notes import reference, references
from newsletter.digest.rich_text.table import NOTE
from newsletter.digest.rich_text.tree import Element
from newsletter.lib.languages import direction


@dataclass(frozen=True)
class Place:
    """Where a text is shown."""

    language: str
    site_url: str = ""
    """For absolute URLs; "" keeps the URLs of our own pictures relative."""
    prefix: str = ""
    """Begins the IDs of footnotes where several texts share a page or an email."""

    def absolute(self, url: str) -> str:
        return urljoin(f"{self.site_url}/", url) if self.site_url else url


def prepare(blocks: list[Element], place: Place) -> None:
    """Make links absolute, connect footnotes with their references, and set directions."""
    for block in blocks:
        for element in (block, *block.elements()):
            for name in {"href", "src"} & element.attrs.keys():
                if not element.attrs[name].startswith("#"):
                    element.attrs[name] = place.absolute(element.attrs[name])
            if "lang" in element.attrs:
                element.attrs["dir"] = direction(element.attrs["lang"].lower())
    _connect_notes(blocks, place)


def _connect_notes(blocks: list[Element], place: Place) -> None:
    """Link each reference to its footnote and back. Some mail programs only know `name`."""
    notes = note_items(blocks)
    back_links: dict[str, list[str]] = {}
    for found in references(blocks):
        number = reference(found)
        back = back_links.setdefault(number, [])
        name = f"{place.prefix}ref-{number}" + (f"-{len(back) + 1}" if back else "")
        back.append(name)
        target = f"#{place.prefix}{NOTE}{number}"
        found.children = [Element("a", [number], {"href": target, "id": name, "name": name})]
    for item in notes:
        number = item.attrs["id"].removeprefix(NOTE)
        item.attrs["id"] = f"{place.prefix}{NOTE}{number}"
        anchor = {"name": item.attrs["id"], "class": "back"}
        label = labels.back_to_text(place.language)
        last = item.children[-1]
        end = last.children if isinstance(last, Element) and last.tag == "p" else item.children
        for name in back_links.get(number, []):
            attrs = {"href": f"#{name}", **anchor, "aria-label": label}
            end += [" ", Element("a", ["↑"], attrs)]
            anchor = {"class": "back"}


def note_items(blocks: list[Element]) -> list[Element]:
    """Return the footnotes at the end of a canonical text."""
    last = blocks[-1] if blocks else None
    if last is None or last.attrs.get("class") != "notes":
        return []
    return [item for item in last.children if isinstance(item, Element)]
