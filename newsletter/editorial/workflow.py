"""Editorial decisions: approving an issue, and stating the trend of a topic."""

from __future__ import annotations

from datetime import date, datetime

from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from newsletter.editorial import approval
from newsletter.editorial.models import (
    ArticleTranslation,
    Issue,
    Newsletter,
    Revision,
    Topic,
    Trend,
    User,
)
from newsletter.editorial.schedule import occurrence_sending

_APPROVAL = [
    *("state", "approved_by", "approved_at", "approved_digest"),
    *("withdrawn_from", "withdrawn_by"),
]


class OwnTextError(Exception):
    """Somebody else has to approve: this person wrote one of the texts, or nobody is named."""


def own_texts(issue: Issue, by: User) -> list[ArticleTranslation]:
    """Return the issue's ready texts whose words this person was the last to change."""
    texts = ArticleTranslation.objects.filter(
        article__issue=issue, state=ArticleTranslation.State.READY
    )
    written = Revision.objects.filter(
        article=OuterRef("article"),
        language=OuterRef("language"),
        number=OuterRef("text_revision"),
        author=by,
    )
    return list(texts.filter(Exists(written)).select_related("article"))


def check_second_person(issue: Issue, by: User | None) -> None:
    """Raise OwnTextError if the newsletter wants another person to approve this content."""
    if issue.newsletter.approval != Newsletter.Approval.OTHER:
        return
    if by is None:
        raise OwnTextError(_("Somebody who wrote none of its texts has to approve it at the desk."))
    if own := own_texts(issue, by):
        raise OwnTextError(
            _("Somebody else has to approve it, because you wrote “%(text)s”.") % {"text": own[0]}
        )


def approve(issue: Issue, *, by: User | None) -> None:
    """Approve the issue as it is now, for sending. Only this content is sent (I2).

    The desk shows `checks.find_problems` to the editor first. Raises OwnTextError.
    """
    check_second_person(issue, by)
    issue.state = Issue.State.APPROVED
    issue.approved_by, issue.approved_at = by, timezone.now()
    issue.approved_digest = approval.current_digest(issue)
    issue.withdrawn_from = issue.withdrawn_by = None
    issue.save(update_fields=_APPROVAL)


def approve_change(issue: Issue, digest: str) -> None:
    """Let the approval cover a change by somebody who may approve."""
    issue.approved_digest = digest
    issue.save(update_fields=["approved_digest"])


def withdraw_after_change(issue: Issue, *, by: User | None) -> None:
    """Withdraw the approval because the issue was changed. The approver is told, unless it was
    their own change."""
    approver = issue.approved_by
    withdraw_approval(issue)
    if approver is not None and approver != by:
        issue.withdrawn_from, issue.withdrawn_by = approver, by
        issue.save(update_fields=["withdrawn_from", "withdrawn_by"])


def withdraw_approval(issue: Issue) -> None:
    """Return the issue to preparation. Mailings that have already started continue."""
    issue.state = Issue.State.DRAFT
    issue.approved_by = issue.approved_at = None
    issue.approved_digest = ""
    issue.withdrawn_from = issue.withdrawn_by = None
    issue.save(update_fields=_APPROVAL)


def set_trend(topic: Topic, week: date, status: str | None) -> bool:
    """Set the topic's trend in the week that starts on that Monday, or delete it (None).

    Returns whether anything changed.
    """
    if status is None:
        deleted, _rows = Trend.objects.filter(topic=topic, week=week).delete()
        return bool(deleted)
    trend, created = Trend.objects.get_or_create(
        topic=topic, week=week, defaults={"status": Trend.Status(status)}
    )
    if created or trend.status == status:
        return created
    trend.status = Trend.Status(status)
    trend.save(update_fields=["status"])
    return True


def set_issue_trend(issue: Issue, topic: Topic, status: str | None) -> bool:
    """Set the topic's trend for the weeks that the issue covers, or delete it (None).

    Returns whether anything changed. The trend is stored for the issue's last week. Trends of its
    earlier weeks stay as they are, but None deletes them too. A special issue sets the trend of
    the week in which it ends.
    """
    if issue.kind == Issue.Kind.SPECIAL:
        return set_trend(topic, issue.last_week, status)
    if Trend.objects.for_issue(issue).get(topic.pk) == status:
        return False
    if status is not None:
        return set_trend(topic, issue.last_week, status)
    weeks = (issue.starts_on, issue.ends_on)
    deleted, _rows = Trend.objects.filter(topic=topic, week__range=weeks).delete()
    return bool(deleted)


def scheduled_send_time(issue: Issue) -> datetime | None:
    """Return when the schedule sends the issue, or None if an editor has to send it."""
    if not (issue.newsletter.schedule_active and issue.goes_out_with(issue.last_week)):
        return None
    if issue.kind == Issue.Kind.SPECIAL:
        return None
    return occurrence_sending(issue.newsletter.rule, issue.last_week).at
