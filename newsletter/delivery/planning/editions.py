"""What a release contains, and the editions in which readers get it: one per distinct result."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from newsletter.delivery.models import Edition, Mailing, Release
from newsletter.delivery.planning.weight import checked_size
from newsletter.delivery.sending.messages import discreet_headers, sender_headers
from newsletter.digest import content
from newsletter.digest.assemble import assemble
from newsletter.digest.content import EditionOptions, RenderedEmail
from newsletter.digest.render_service import render_edition
from newsletter.editorial.content import issue_content, newsletter_content, round_up_content
from newsletter.editorial.models import Issue, Newsletter
from newsletter.editorial.schedule import Month
from subscribers import discreet_domain
from subscribers.audience import Segment, edition_options


def content_of(release: Release, *, at: datetime) -> content.Issue:
    """Return what the release contains that is public at that moment. Raises RenderError."""
    if release.kind == Release.Kind.MONTHLY:
        return round_up(release.newsletter, Month.parse(release.period), at=at)
    if release.issue is None:
        raise content.RenderError(_("The issue was deleted."))
    return issue_content(release.issue, at=at)


def round_up(newsletter: Newsletter, month: Month, *, at: datetime) -> content.Issue:
    """Return the articles of the month's issues that were sent.

    An editor approved each of those issues, so the round-up doesn't need a separate approval.
    """
    sent = Mailing.objects.filter(release__issue=OuterRef("pk"), snapshot_at__isnull=False).exclude(
        state=Mailing.State.CANCELLED
    )
    issues = newsletter.issues.public(at).for_month(month).newest_first().filter(Exists(sent))
    return round_up_content(month, issues, at=at)


@dataclass
class Editions:
    """The editions of one mailing."""

    by_segment: dict[Segment, str | None] = field(default_factory=dict)
    """The key of each segment's edition; None if there is nothing for the segment to read."""
    drafts: dict[str, Edition] = field(default_factory=dict)
    """An unsaved Edition for each key."""
    shown: set[tuple[int, str, int]] = field(default_factory=set)
    """(article ID, language, revision) of each text in any of them."""


def draft_editions(
    mailing: Mailing,
    segments: Iterable[Segment],
    newsletter: Newsletter,
    *,
    issue: content.Issue,
    at: datetime,
) -> Editions:
    """Render each edition that the segments need, once.

    Raises content.RenderError, also for an email that is too heavy (H4).
    """
    editions = Editions()
    branding, today = newsletter_content(newsletter), newsletter.local_date(at)
    for segment in segments:
        public_id = secrets.token_hex(12)
        options = edition_options(segment, newsletter)
        # One URL for all readers of the edition, without a token.
        url = f"{discreet_domain.site_of(discreet=segment.discreet)}/view/{public_id}/"
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
        editions.shown |= {
            (each.article.id, each.language, each.text.revision) for each in selection.articles
        }
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
            images=[asdict(image) for image in rendered.images],
            size=checked_size(rendered),
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


def preview(issue: Issue, options: EditionOptions) -> RenderedEmail | None:
    """Return the email that readers with these options would get; None if it would be empty.

    It includes articles that are ready but not published yet, because they will be by the time
    the issue is sent. Raises RenderError.
    """
    ready = issue_content(issue, at=timezone.now() + timedelta(days=3650))
    return preview_of(ready, issue.newsletter, options)


def preview_of(
    issue: content.Issue, newsletter: Newsletter, options: EditionOptions
) -> RenderedEmail | None:
    """Return the same for content that was read already. Raises RenderError."""
    selection = assemble(issue, options)
    if selection is None:
        return None
    return render_edition(
        newsletter_content(newsletter),
        issue,
        selection,
        view_url=f"{settings.SITE_URL}/",
        today=newsletter.local_date(timezone.now()),
    )
