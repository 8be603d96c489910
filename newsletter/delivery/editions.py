"""From an issue and what readers want to the editions they get."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from django.conf import settings

from newsletter.delivery.mails import sender_headers, stored_images
from newsletter.delivery.models import Edition, Mailing
from newsletter.digest import content
from newsletter.digest.assemble import assemble
from newsletter.digest.render import render
from newsletter.editorial.models import Newsletter
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
        selection = assemble(issue, wants_of(profile, newsletter))
        editions.by_profile[profile] = selection.key if selection else None
        if selection is None or selection.key in editions.drafts:
            continue
        public_id = secrets.token_hex(12)
        rendered = render(letterhead, issue, selection, view_url=view_url(public_id), today=today)
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
            headers=sender_headers(
                newsletter,
                sender_name=letterhead.letterheads[rendered.language].sender_name,
                language=rendered.language,
                campaign=mailing.release.period,
            ),
        )
    return editions


def view_url(public_id: str) -> str:
    """ "View in browser": the same for all readers of the edition, so no personal token."""
    return f"{settings.SITE_URL}/view/{public_id}/"
