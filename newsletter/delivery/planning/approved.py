"""Send an issue only as it was approved (I2)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from newsletter.delivery.models import Mailing, Release
from newsletter.delivery.planning.editions import content_of
from newsletter.digest import content
from newsletter.editorial import approval, workflow
from newsletter.editorial.models import Issue, Newsletter, User


class NotApprovedError(Exception):
    """What would be sent isn't what was approved. `hold` is the reason to hold the mailing."""

    def __init__(self, hold: Mailing.Hold) -> None:
        super().__init__(hold.value)
        self.hold = hold


def needs_approval(release: Release) -> bool:
    """Return whether somebody has to approve what is sent.

    A round-up repeats approved issues, and a newsletter can send what is ready without asking.
    """
    automatic = Newsletter.Approval.AUTOMATIC
    return release.issue_id is not None and release.newsletter.approval != automatic


def approved_content(release: Release, *, at: datetime) -> tuple[content.Issue, str]:
    """Return what is public of the release at that moment, and the digest of what was approved.

    The digest is "" if no approval is needed. Raises NotApprovedError, and RenderError if the issue
    was deleted.
    """
    if not needs_approval(release):
        return content_of(release, at=at), ""
    issue = _current_issue(release)
    whole = approval.approvable_content(issue)
    digest = approval.digest(whole, issue.newsletter)
    _compare(issue, digest)
    public = tuple(
        article
        for article in whole.articles
        if article.published_at is not None and article.published_at <= at
    )
    return replace(whole, articles=public), digest


def check_still_approved(release: Release, digest: str) -> None:
    """Raise NotApprovedError if the issue is no longer the one with this digest.

    Call it at the end of the transaction that takes the snapshot: it makes the desk's changes wait.
    """
    if not digest:
        return
    Newsletter.objects.select_for_update().get(pk=release.newsletter_id)
    issue = _current_issue(release)
    _compare(issue, approval.current_digest(issue))


def approve_for_sending(issue: Issue, *, by: User | None) -> None:
    """Approve the issue as it is, unless it already is: whoever sends it approves it."""
    if not approval.holds(issue):
        workflow.approve(issue, by=by)


def _current_issue(release: Release) -> Issue:
    """Return the issue as it is now, not the release's copy, which may be from before a change."""
    return Issue.objects.select_related("newsletter").get(releases=release)


def _compare(issue: Issue, digest: str) -> None:
    if not issue.is_approved:
        raise NotApprovedError(Mailing.Hold.NOT_APPROVED)
    if issue.approved_digest != digest:
        raise NotApprovedError(Mailing.Hold.CHANGED)
