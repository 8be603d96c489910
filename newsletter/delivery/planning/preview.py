"""Preview an issue or a round-up as readers with given options would get it. Stores nothing."""

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
