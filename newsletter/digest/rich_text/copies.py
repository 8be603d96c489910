"""The smaller copies of the pictures inside a text: one for emails, several for pages (issue 12).

A text names the stored file. Which copies that file has is known to the caller, because finding
them takes a query.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from newsletter.digest.content import ImageFile
from newsletter.digest.rich_text.attributes import media_name, media_url
from newsletter.digest.rich_text.tree import Element

EmailCopies = Mapping[str, ImageFile]
"""The copies for emails, by the name of the file that a text names."""
SiteCopies = Mapping[str, Sequence[ImageFile]]
"""The copies for pages, the narrowest first, by the name of the file that a text names."""

PAGE_SIZES = "(min-width: 44rem) 40rem, calc(100vw - 2.5rem)"
"""How wide a page shows a picture in a text: as templates/web/parts/picture.html does."""


def images_in(blocks: list[Element]) -> list[Element]:
    return [each for block in blocks for each in block.elements() if each.tag == "img"]


def use_email_copies(blocks: list[Element], copies: EmailCopies) -> None:
    """Let each picture name its copy. One without a copy stays as it is."""
    for image in images_in(blocks):
        if copy := copies.get(media_name(image.attrs["src"])):
            image.attrs["src"] = media_url(copy.name)
            _add_size(image, copy)


def offer_site_copies(blocks: list[Element], copies: SiteCopies) -> None:
    """Let browsers choose among a picture's copies by the width at which they show it."""
    for image in images_in(blocks):
        if files := copies.get(media_name(image.attrs["src"])):
            _add_size(image, files[-1])
            if len(files) > 1:
                choices = [f"{media_url(file.name)} {file.width}w" for file in files]
                image.attrs |= {"srcset": ", ".join(choices), "sizes": PAGE_SIZES}


def _add_size(image: Element, file: ImageFile) -> None:
    """Add the size if the text doesn't state it, so that nothing moves while a picture loads."""
    if not {"width", "height"} & image.attrs.keys() and file.width and file.height:
        image.attrs |= {"width": str(file.width), "height": str(file.height)}
