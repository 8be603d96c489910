"""An issue or a round-up as a group of readers would get it now; nothing is stored."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from newsletter.digest import content
from newsletter.digest.assemble import assemble
from newsletter.digest.content import EditionOptions, RenderedEmail
from newsletter.digest.render_service import render_edition
from newsletter.editorial.content import issue_content, newsletter_content
from newsletter.editorial.models import Issue, Newsletter


def preview(issue: Issue, options: EditionOptions) -> RenderedEmail | None:
    """What readers who want this would get, or None where there is nothing for them to read.

    Articles that are ready count even where their hour of publication is still to come, as it
    will have come by then. Raises RenderError.
    """
    paper = issue_content(issue, at=timezone.now() + timedelta(days=3650))
    return preview_of(paper, issue.newsletter, options)


def preview_of(
    paper: content.Issue, newsletter: Newsletter, options: EditionOptions
) -> RenderedEmail | None:
    """The same for any content."""
    selection = assemble(paper, options)
    if selection is None:
        return None
    return render_edition(
        newsletter_content(newsletter),
        paper,
        selection,
        view_url=f"{settings.SITE_URL}/",
        today=newsletter.local_date(timezone.now()),
    )
