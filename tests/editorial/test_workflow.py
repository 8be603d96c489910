"""Revisions, corrections, approval, and what an editor must look at."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from newsletter.editorial import workflow
from newsletter.editorial.models import Article, ArticleTranslation, Issue, Topic, Trend, User
from newsletter.editorial.revisions import is_stale, mark_up_to_date
from newsletter.editorial.workflow import Severity
from tests.conftest import WriteArticle


def text_of(article: Article, language: str) -> ArticleTranslation:
    return article.translations.get(language=language)


@pytest.mark.parametrize("field", ["headline", "lead", "body"])
def test_a_changed_text_is_a_new_revision(write_article: WriteArticle, field: str) -> None:
    text = text_of(write_article(en="Headline"), "en")
    setattr(text, field, "<p>New words</p>")
    text.save()
    assert text.revision == 2


def test_saving_the_same_text_is_none(write_article: WriteArticle) -> None:
    text = text_of(write_article(en="Headline"), "en")
    text.state = ArticleTranslation.State.REVIEW
    text.save()
    assert text.revision == 1


def test_a_translation_is_stale_until_it_follows(write_article: WriteArticle) -> None:
    article = write_article(en="Headline", be="Загаловак")
    assert not is_stale(text_of(article, "be"), text_of(article, "en"))
    original = text_of(article, "en")
    original.lead = "Another lead."
    original.save()
    assert is_stale(text_of(article, "be"), original)
    translation = text_of(article, "be")
    translation.lead = "Іншы лід."
    translation.save()
    assert not is_stale(text_of(article, "be"), original)


def test_a_translation_that_needs_no_change_can_be_taken_as_current(
    write_article: WriteArticle,
) -> None:
    article = write_article(en="Headline", be="Загаловак")
    original = text_of(article, "en")
    original.lead = "Another lead."
    original.save()
    mark_up_to_date(text_of(article, "be"))
    assert not is_stale(text_of(article, "be"), original)


@time_machine.travel("2017-08-05T10:00:00Z", tick=False)
def test_a_correction_of_a_public_text_is_dated(write_article: WriteArticle) -> None:
    text = text_of(write_article(en="Headline"), "en")
    text.body, text.correction = "<p>Four people.</p>", "An earlier text said five."
    text.save()
    assert text.corrected_at == timezone.now()
    text.correction = ""
    text.save()
    assert text.corrected_at is None


@time_machine.travel("2017-07-25T10:00:00Z", tick=False)
def test_before_it_is_public_nothing_is_corrected(write_article: WriteArticle) -> None:
    text = text_of(write_article(en="Headline"), "en")
    text.correction = "An earlier text said five."
    text.save()
    assert text.corrected_at is None


def test_approval_and_its_withdrawal(issue: Issue, editor: User) -> None:
    workflow.approve(issue, by=editor)
    issue.refresh_from_db()
    assert (issue.state, issue.approved_by) == (Issue.State.APPROVED, editor)
    assert issue.approved_at
    workflow.withdraw_approval(issue)
    issue.refresh_from_db()
    assert (issue.state, issue.approved_by, issue.approved_at) == (Issue.State.DRAFT, None, None)


def test_a_trend_is_set_changed_and_taken_back(security: Topic) -> None:
    week = date(2017, 7, 24)
    assert workflow.set_trend(security, week, "improved")
    assert not workflow.set_trend(security, week, "improved")
    assert workflow.set_trend(security, week, "worsened")
    assert Trend.objects.get().status == "worsened"
    assert workflow.set_trend(security, week, None)
    assert not Trend.objects.exists()


def words(issue: Issue) -> str:
    return "\n".join(problem.text for problem in workflow.problems(issue))


def test_an_issue_without_articles_is_blocked(issue: Issue) -> None:
    found = workflow.problems(issue)
    assert [problem.severity for problem in found] == [Severity.BLOCKS]
    assert workflow.blocks(found)
    assert "no article" in found[0].text


def test_an_issue_with_drafts_only_is_blocked(issue: Issue, write_article: WriteArticle) -> None:
    write_article(issue=issue, en="Headline", state="draft")
    assert workflow.blocks(workflow.problems(issue))
    assert "ready in any language" in words(issue)


def test_an_issue_of_later_articles_is_blocked(issue: Issue, write_article: WriteArticle) -> None:
    write_article(issue=issue, en="H", be="З", published_at=timezone.now() + timedelta(days=1))
    assert workflow.blocks(workflow.problems(issue))


@pytest.mark.parametrize("minutes", [0, 1])
def test_articles_timed_for_the_hour_of_the_send_out_are_in_order(
    issue: Issue, write_article: WriteArticle, minutes: int
) -> None:
    due = datetime(2017, 7, 31, 6, 0, tzinfo=UTC)  # 09:00 in Minsk
    blocked = minutes > 0
    issue.newsletter.schedule_active = True
    issue.newsletter.save()
    issue.refresh_from_db()
    assert workflow.scheduled_send_time(issue) == due
    write_article(issue=issue, en="H", be="З", published_at=due + timedelta(minutes=minutes))
    with time_machine.travel(due - timedelta(days=1), tick=False):
        assert bool(workflow.problems(issue)) is blocked
        assert workflow.blocks(workflow.problems(issue)) is blocked
        assert workflow.blocks(workflow.problems(issue, at=timezone.now()))
    with time_machine.travel(due + timedelta(hours=1), tick=False):
        assert workflow.problems(issue) == []


def test_what_only_an_editor_sends_has_no_hour(issue: Issue) -> None:
    assert workflow.scheduled_send_time(issue) is None
    issue.newsletter.schedule_active = True
    for kind in (Issue.Kind.SPECIAL, Issue.Kind.BREAK):
        issue.kind = kind
        assert workflow.scheduled_send_time(issue) is None


def test_an_editor_is_told_that_the_schedule_will_hold_a_thin_issue(
    issue: Issue, write_article: WriteArticle
) -> None:
    write_article(issue=issue, en="Headline", be="Загаловак")
    write_article(issue=issue, en="Not ready", be="Не гатовы", state="draft")
    newsletter = issue.newsletter
    newsletter.least_articles = 2
    assert "Too few" not in words(issue)
    newsletter.schedule_active = True
    assert "Too few articles are ready: the schedule needs at least 2." in words(issue)
    assert not workflow.blocks(workflow.problems(issue))
    newsletter.least_articles = 1
    assert "Too few" not in words(issue)


def test_a_trend_of_a_special_issue_is_that_of_the_week_it_ends_in(
    issue: Issue, security: Topic
) -> None:
    issue.kind, issue.slug, issue.starts_on = Issue.Kind.SPECIAL, "elections", date(2017, 7, 26)
    issue.save()
    assert workflow.set_issue_trend(issue, security, "improved")
    assert not workflow.set_issue_trend(issue, security, "improved")
    assert Trend.objects.get().week == date(2017, 7, 24)


def test_a_break_sends_nothing(issue: Issue, write_article: WriteArticle) -> None:
    write_article(issue=issue, en="Headline")
    issue.kind = Issue.Kind.BREAK
    assert workflow.blocks(workflow.problems(issue))


def test_an_issue_in_order_has_no_problem(issue: Issue, write_article: WriteArticle) -> None:
    write_article(issue=issue, en="Headline", be="Загаловак")
    assert workflow.problems(issue) == []


def test_what_an_editor_should_know(issue: Issue, write_article: WriteArticle) -> None:
    article = write_article(issue=issue, en="Headline", ru="Заголовок")
    original = text_of(article, "en")
    original.lead = "Another lead."
    original.save()
    article.translations.create(language="be", headline="Загаловак")
    found = words(issue)
    assert "беларуская is not ready (draft)" in found
    assert "русский is older than the original" in found
    assert not workflow.blocks(workflow.problems(issue))


def test_readers_who_would_get_nothing_are_named(issue: Issue, write_article: WriteArticle) -> None:
    write_article(issue=issue, en="Headline")
    assert "беларуская, русский would get nothing" in words(issue)
