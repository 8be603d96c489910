"""From an issue and what readers want to the editions they get."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from newsletter.delivery.mails import discreet_headers, sender_headers, stored_images
from newsletter.delivery.models import Edition, Mailing
from newsletter.digest import content
from newsletter.digest.assemble import assemble
from newsletter.digest.press import print_edition
from newsletter.editorial.models import Newsletter
from subscribers import discretion
from subscribers.audience import Profile
from subscribers.wants import wants_of


@dataclass
class Editions:
    """The editions of one mailing: `by_profile` maps a profile to an edition's key, or to None
    where nothing is there to read; `drafts` holds an unsaved Edition per key."""

    by_profile: dict[Profile, str | None] = field(default_factory=dict)
    drafts: dict[str, Edition] = field(default_factory=dict)


def draft_editions(
    mailing: Mailing,
    profiles: Iterable[Profile],
    newsletter: Newsletter,
    *,
    letterhead: content.Newsletter,
    issue: content.Issue,
    today: date,
) -> Editions:
    """Render each edition that the profiles call for, once. Raises content.RenderError."""
    editions = Editions()
    for profile in profiles:
        public_id = secrets.token_hex(12)
        wants = wants_of(profile, newsletter)
        url = view_url(public_id, site=discretion.site_of(discreet=profile.discreet))
        head, paper = letterhead, issue
        if profile.discreet:
            head = discretion.letterhead(letterhead)
            paper = discretion.issue(issue, view_url=url, wants=wants, today=today)
        selection = assemble(paper, wants)
        editions.by_profile[profile] = selection.key if selection else None
        if selection is None or selection.key in editions.drafts:
            continue
        rendered = print_edition(head, paper, selection, view_url=url, today=today)
        editions.drafts[selection.key] = Edition(
            mailing=mailing,
            key=selection.key,
            public_id=public_id,
            language=rendered.language,
            label=rendered.label,
            subject=rendered.subject,
            preheader=rendered.preheader,
            html=rendered.html,
            text=rendered.text,
            images=stored_images(rendered),
            discreet=profile.discreet,
            headers=discreet_headers(rendered.language)
            if profile.discreet
            else sender_headers(
                newsletter,
                sender_name=letterhead.letterheads[rendered.language].sender_name,
                language=rendered.language,
                campaign=mailing.release.period,
            ),
        )
    return editions


def view_url(public_id: str, *, site: str) -> str:
    """ "View in browser": the same for all readers of the edition, so no personal token."""
    return f"{site}/view/{public_id}/"
