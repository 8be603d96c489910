"""What a group of readers wants of a digest, with the newsletter's defaults filled in."""

from __future__ import annotations

from newsletter.digest import content
from newsletter.editorial.models import Newsletter
from subscribers.audience import Profile


def wants_of(profile: Profile, newsletter: Newsletter) -> content.Wants:
    """A profile with the newsletter's defaults filled in."""
    # A discreet mail has no link to the site, so it holds the texts.
    complete = Newsletter.Content.COMPLETE if profile.discreet else ""
    amount = complete or profile.content or newsletter.content
    pictures = newsletter.pictures if profile.pictures else Newsletter.Pictures.NONE
    return content.Wants(
        chain=profile.languages,
        page_language=profile.page_language,
        topics=profile.topics,
        amount="complete" if amount == Newsletter.Content.COMPLETE else "lead",
        pictures="none" if profile.plain_text or profile.discreet else _pictures(pictures),
        plain_text=profile.plain_text,
        discreet=profile.discreet,
    )


def _pictures(value: str) -> content.Pictures:
    match value:
        case "embedded" | "linked":
            return value
        case _:
            return "none"
