"""Render the editions of a mailing, one for each distinct result."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from newsletter.delivery.models import Edition, Mailing
from newsletter.delivery.sending.messages import discreet_headers, sender_headers, stored_images
from newsletter.digest import content
from newsletter.digest.assemble import assemble
from newsletter.digest.render_service import render_edition
from newsletter.editorial.models import Newsletter
from subscribers import discreet_domain
from subscribers.audience import Segment, edition_options


@dataclass
class Editions:
    """The editions of one mailing."""

    by_segment: dict[Segment, str | None] = field(default_factory=dict)
    """The key of each segment's edition; None if there is nothing for the segment to read."""
    drafts: dict[str, Edition] = field(default_factory=dict)
    """An unsaved Edition for each key."""


def draft_editions(
    mailing: Mailing,
    segments: Iterable[Segment],
    newsletter: Newsletter,
    *,
    branding: content.Newsletter,
    issue: content.Issue,
    today: date,
) -> Editions:
    """Render each edition that the segments need, once. Raises content.RenderError."""
    editions = Editions()
    for segment in segments:
        public_id = secrets.token_hex(12)
        options = edition_options(segment, newsletter)
        url = view_url(public_id, site=discreet_domain.site_of(discreet=segment.discreet))
        sender, contents = branding, issue
        if segment.discreet:
            sender = discreet_domain.discreet_branding(branding)
            contents = discreet_domain.discreet_issue(
                issue, view_url=url, options=options, today=today
            )
        selection = assemble(contents, options)
        editions.by_segment[segment] = selection.key if selection else None
        if selection is None or selection.key in editions.drafts:
            continue
        rendered = render_edition(sender, contents, selection, view_url=url, today=today)
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
            discreet=segment.discreet,
            headers=discreet_headers(rendered.language)
            if segment.discreet
            else sender_headers(
                newsletter,
                sender_name=branding.branding_by_language[rendered.language].sender_name,
                language=rendered.language,
                campaign=mailing.release.period,
            ),
        )
    return editions


def view_url(public_id: str, *, site: str) -> str:
    """Return the “View in browser” URL: one for all readers of the edition, without a token."""
    return f"{site}/view/{public_id}/"
