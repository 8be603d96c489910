"""The content of a release: an issue, or the round-up of a month's issues."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from newsletter.delivery.models import Mailing, Release
from newsletter.digest import content
from newsletter.editorial.content import issue_content, round_up_content
from newsletter.editorial.models import Newsletter
from newsletter.editorial.schedule import Month


def content_of(release: Release, *, at: datetime) -> content.Issue:
    """Return what the release contains that is public at that moment. Raises RenderError."""
    if release.kind == Release.Kind.MONTHLY:
        return round_up(release.newsletter, Month.parse(release.period), at=at)
    if release.issue is None:
        raise content.RenderError(_("The issue was deleted."))
    return issue_content(release.issue, at=at)


def round_up(newsletter: Newsletter, month: Month, *, at: datetime) -> content.Issue:
    """Return the articles of the month's issues that were sent.

    An editor approved each of those issues, so the round-up needs no approval of its own.
    """
    sent = Mailing.objects.filter(release__issue=OuterRef("pk"), snapshot_at__isnull=False).exclude(
        state=Mailing.State.CANCELLED
    )
    issues = newsletter.issues.public(at).for_month(month).newest_first().filter(Exists(sent))
    return round_up_content(month, issues, at=at)
