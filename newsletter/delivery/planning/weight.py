"""How heavy an email is: its HTML, its text and its pictures, as they are sent (H4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.core.files.storage import default_storage
from django.utils.translation import gettext as _

from newsletter.digest.content import RenderedEmail, RenderError
from newsletter.editorial.email_weight import MAX_EMAIL_BYTES, text_bytes, weight_warning
from newsletter.editorial.pictures.copies import bytes_in_email

_HEADER_BYTES = 2_000


@dataclass(frozen=True)
class Weight:
    """Bytes of one email."""

    html: int
    """The HTML in UTF-8, as A11 counts it."""
    texts: int
    """Headers, plain text and HTML as they are sent."""
    pictures: int
    """The embedded pictures as they are sent."""
    picture_count: int

    @property
    def total(self) -> int:
        return self.texts + self.pictures


def weigh(rendered: RenderedEmail) -> Weight:
    """Return the email's weight. Raises RenderError if the file of a picture is missing."""
    return Weight(
        html=len(rendered.html.encode("utf-8", "replace")),
        texts=_HEADER_BYTES + text_bytes(rendered.html) + text_bytes(rendered.text),
        pictures=sum(_picture_sizes(image.name for image in rendered.images)),
        picture_count=len(rendered.images),
    )


def checked_size(rendered: RenderedEmail) -> int:
    """Return the email's bytes. Raises RenderError if there are more than may be sent."""
    total = weigh(rendered).total
    if total > MAX_EMAIL_BYTES:
        raise RenderError(weight_warning(total))
    return total


def _picture_sizes(names: Iterable[str]) -> Iterable[int]:
    for name in names:
        try:
            yield bytes_in_email(default_storage.size(name))
        except FileNotFoundError:
            raise RenderError(
                _(
                    "The file of a picture is missing: %(name)s. Upload the picture again, or "
                    "remove it from the article."
                )
                % {"name": name}
            ) from None
