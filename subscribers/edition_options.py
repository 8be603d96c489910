"""What a group of readers wants of a digest, with the newsletter's defaults filled in."""

from __future__ import annotations

from newsletter.digest import content
from newsletter.editorial.models import Newsletter
from subscribers.audience import Segment


def edition_options(segment: Segment, newsletter: Newsletter) -> content.EditionOptions:
    """A profile with the newsletter's defaults filled in."""
    # A discreet mail has no link to the site, so it holds the texts.
    full = Newsletter.Content.FULL if segment.discreet else ""
    length = full or segment.content or newsletter.content
    pictures = newsletter.pictures if segment.pictures else Newsletter.Pictures.NONE
    return content.EditionOptions(
        chain=segment.languages,
        page_language=segment.page_language,
        topics=segment.topics,
        length="full" if length == Newsletter.Content.FULL else "lead",
        pictures="none" if segment.plain_text or segment.discreet else _pictures(pictures),
        plain_text=segment.plain_text,
        discreet=segment.discreet,
    )


def _pictures(value: str) -> content.Pictures:
    match value:
        case "embedded" | "linked":
            return value
        case _:
            return "none"
