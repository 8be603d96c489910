"""Approval and trends."""

from __future__ import annotations

from datetime import date

from newsletter.editorial import workflow
from newsletter.editorial.models import Issue, Topic, Trend, User


def test_an_issue_can_be_approved_and_withdrawn(issue: Issue, editor: User) -> None:
    workflow.approve(issue, by=editor)
    issue.refresh_from_db()
    assert (issue.state, issue.approved_by) == (Issue.State.APPROVED, editor)
    assert issue.approved_at
    workflow.withdraw_approval(issue)
    issue.refresh_from_db()
    assert issue.state == Issue.State.DRAFT
    assert issue.approved_by_id is None
    assert issue.approved_at is None


def test_a_trend_can_be_set_changed_and_deleted(security: Topic) -> None:
    week = date(2017, 7, 24)
    assert workflow.set_trend(security, week, "improved")
    assert not workflow.set_trend(security, week, "improved")
    assert workflow.set_trend(security, week, "worsened")
    assert Trend.objects.get().status == "worsened"
    assert workflow.set_trend(security, week, None)
    assert not Trend.objects.exists()


def test_special_issues_and_breaks_have_no_scheduled_time(issue: Issue) -> None:
    assert workflow.scheduled_send_time(issue) is None
    issue.newsletter.schedule_active = True
    for kind in (Issue.Kind.SPECIAL, Issue.Kind.BREAK):
        issue.kind = kind
        assert workflow.scheduled_send_time(issue) is None


def test_a_special_issue_sets_the_trend_of_its_last_week(issue: Issue, security: Topic) -> None:
    issue.kind, issue.slug, issue.starts_on = Issue.Kind.SPECIAL, "elections", date(2017, 7, 26)
    issue.save()
    assert workflow.set_issue_trend(issue, security, "improved")
    assert not workflow.set_issue_trend(issue, security, "improved")
    assert Trend.objects.get().week == date(2017, 7, 24)
