"""Discreet readers: their mails and links bear a second, neutral domain and name (DISCREET_URL,
DISCREET_SENDER, DISCREET_NAME), from the confirmation on."""

from __future__ import annotations

from datetime import date

from django.conf import settings

from newsletter.digest import content
from newsletter.digest.discreet import neutral_issue, neutral_newsletter


class NoDiscreetDomainError(content.RenderError):
    """There are discreet readers, and nothing neutral to write to them from."""


def is_offered() -> bool:
    return bool(settings.DISCREET_URL)


def site_of(*, discreet: bool) -> str:
    """The address of the site that a reader's links begin with."""
    return settings.DISCREET_URL if discreet and is_offered() else settings.SITE_URL


def name_of(own: str, *, discreet: bool) -> str:
    """What a newsletter is called to this reader."""
    return settings.DISCREET_NAME if discreet else own


def require_discreet_domain() -> None:
    """Raises NoNeutralDomain where the neutral domain was taken away: such a mail must not go out
    under the newsroom's own name."""
    if not is_offered():
        raise NoDiscreetDomainError("There are discreet readers, but DISCREET_URL is not set.")


def discreet_branding(newsletter: content.Newsletter) -> content.Newsletter:
    require_discreet_domain()
    return neutral_newsletter(
        newsletter, name=settings.DISCREET_NAME, site_url=settings.DISCREET_URL
    )


def discreet_issue(
    found: content.Issue, *, view_url: str, options: content.EditionOptions, today: date
) -> content.Issue:
    require_discreet_domain()
    return neutral_issue(
        found,
        name=settings.DISCREET_NAME,
        view_url=view_url,
        languages=(*options.chain, options.page_language),
        today=today,
    )
