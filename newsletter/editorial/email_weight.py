"""How heavy an issue's emails are, and the limits (H4).

What a mailing weighs is known once its editions are rendered (`delivery.planning.weight`). Before
that, this estimate tells editors on the issue's page.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from newsletter.editorial.models import Article, Issue, Newsletter, Picture
from newsletter.editorial.pictures.copies import EMAIL_BYTES, bytes_in_email
from newsletter.editorial.text_pictures import pictures_in
from newsletter.lib.byte_sizes import size_name

HEAVY_EMAIL_BYTES = 1_000_000
"""From here on, editors are warned: it is slow and costly to load on a phone."""
MAX_EMAIL_BYTES = 10_000_000
"""Above, nothing is sent: many mailbox providers refuse such an email."""
_FRAME_BYTES = 25_000
_ARTICLE_FRAME_BYTES = 5_000
"""The HTML around the texts, roughly."""


def estimate(issue: Issue, articles: Iterable[Article]) -> int:
    """Return roughly how many bytes the issue's largest email has.

    Readers may choose the full text, so it counts. `articles` come with pictures and translations.
    """
    embedded = issue.newsletter.pictures == Newsletter.Pictures.EMBEDDED
    shown = [
        (article, ready)
        for article in articles
        if (ready := [text for text in article.texts().values() if text.is_ready])
    ]
    introductions = [text.introduction for text in issue.texts().values()]
    bodies = [text.body for _, texts in shown for text in texts]
    in_texts = pictures_in([*introductions, *bodies]) if embedded else {}

    def bytes_of(text: str, html: str) -> int:
        """Count the text twice, as HTML and as plain text, and the pictures inside it."""
        names = [name for name in in_texts if name in html]
        return 2 * text_bytes(text) + sum(_picture_bytes(in_texts[name]) for name in names)

    size = _FRAME_BYTES + max((bytes_of(html, html) for html in introductions), default=0)
    for article, texts in shown:
        size += max(bytes_of(f"{text.lead}{text.body}", text.body) for text in texts)
        size += _ARTICLE_FRAME_BYTES
        if embedded and article.picture:
            size += _picture_bytes(article.picture)
    return size


def _picture_bytes(picture: Picture) -> int:
    """Return what a picture takes up in an email. Copies that are missing will be made by then."""
    size = bytes_in_email(picture.email_copy.size)
    return size if picture.known_copies else min(size, EMAIL_BYTES)


def text_bytes(text: str) -> int:
    """Return how many bytes a text takes up in an email.

    In quoted-printable, each byte outside ASCII becomes three, and each line gets a soft break.
    """
    size = len(text.encode("utf-8", "replace"))
    characters_in_ascii = sum(character.isascii() for character in text)
    encoded = characters_in_ascii + 3 * (size - characters_in_ascii)
    return encoded + encoded // 73 * 3


def weight_warning(size: int) -> str:
    """Return what to tell editors about an email of that size; "" if there is nothing to say."""
    if size < HEAVY_EMAIL_BYTES:
        return ""
    values = {"size": size_name(size), "limit": size_name(MAX_EMAIL_BYTES)}
    if size > MAX_EMAIL_BYTES:
        return (
            _(
                "The email weighs %(size)s, and nothing above %(limit)s is sent. Remove pictures, "
                "or link to them: that is a setting of the newsletter."
            )
            % values
        )
    return (
        _(
            "The email weighs %(size)s: it is slow and costly to load on a phone. Leave out some "
            "pictures, or link to them: that is a setting of the newsletter."
        )
        % values
    )
