"""Rich text on a page, with the smaller copies of the pictures inside it."""

from __future__ import annotations

from newsletter.digest.content import ImageFile
from newsletter.digest.rich_text.page import for_page
from newsletter.editorial.text_pictures import pictures_in


def page_html(html: str, *, language: str) -> str:
    """Return the HTML for a page. One query if there are pictures in the text, otherwise none."""
    copies = {
        name: [ImageFile(copy.name, copy.width, copy.height) for copy in picture.site_copies]
        for name, picture in pictures_in([html]).items()
    }
    return for_page(html, language=language, copies=copies)
