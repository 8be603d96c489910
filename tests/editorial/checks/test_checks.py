"""What an editor should fix or know before an issue goes out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from newsletter.editorial.checks import Severity, find_problems, has_blocker
from newsletter.editorial.models import Issue
from newsletter.editorial.workflow import scheduled_send_time
from tests.conftest import WriteArticle


def problem_texts(issue: Issue) -> str:
    return "\n".join(problem.text for problem in find_problems(issue))


def test_an_issue_without_articles_is_blocked(issue: Issue) -> None:
    found = find_problems(issue)
    assert [problem.severity for problem in found] == [Severity.BLOCKS]
    assert has_blocker(found)
    assert "no articles" in found[0].text


def test_an_issue_with_drafts_only_is_blocked(issue: Issue, write_article: WriteArticle) -> None:
    write_article(issue=issue, en="Headline", state="draft")
    assert has_blocker(find_problems(issue))
    assert "ready in any language" in problem_texts(issue)


def test_an_issue_of_embargoed_articles_is_blocked(
    issue: Issue, write_article: WriteArticle
) -> None:
    write_article(issue=issue, en="H", be="З", published_at=timezone.now() + timedelta(days=1))
    assert has_blocker(find_problems(issue))


@pytest.mark.parametrize("minutes", [0, 1])
def test_articles_may_be_timed_for_the_moment_of_the_mailing(
    issue: Issue, write_article: WriteArticle, minutes: int
) -> None:
    due = datetime(2017, 7, 31, 6, 0, tzinfo=UTC)  # 09:00 in Minsk
    blocked = minutes > 0
    issue.newsletter.schedule_active = True
    issue.newsletter.save()
    issue.refresh_from_db()
    assert scheduled_send_time(issue) == due
    write_article(issue=issue, en="H", be="З", published_at=due + timedelta(minutes=minutes))
    with time_machine.travel(due - timedelta(days=1), tick=False):
        assert bool(find_problems(issue)) is blocked
        assert has_blocker(find_problems(issue)) is blocked
        assert has_blocker(find_problems(issue, at=timezone.now()))
    with time_machine.travel(due + timedelta(hours=1), tick=False):
        assert find_problems(issue) == []


def test_an_editor_is_warned_that_the_schedule_will_hold_an_issue(
    issue: Issue, write_article: WriteArticle
) -> None:
    write_article(issue=issue, en="Headline", be="Загаловак")
    write_article(issue=issue, en="Not ready", be="Не гатовы", state="draft")
    newsletter = issue.newsletter
    newsletter.least_articles = 2
    assert "Too few" not in problem_texts(issue)
    newsletter.schedule_active = True
    assert "Too few articles are ready: the schedule needs at least 2." in problem_texts(issue)
    assert not has_blocker(find_problems(issue))
    newsletter.least_articles = 1
    assert "Too few" not in problem_texts(issue)


def test_a_break_is_blocked(issue: Issue, write_article: WriteArticle) -> None:
    write_article(issue=issue, en="Headline")
    issue.kind = Issue.Kind.BREAK
    assert has_blocker(find_problems(issue))


def test_a_complete_issue_has_no_problems(issue: Issue, write_article: WriteArticle) -> None:
    write_article(issue=issue, en="Headline", be="Загаловак")
    assert find_problems(issue) == []


def test_unready_and_stale_translations_are_warnings(
    issue: Issue, write_article: WriteArticle
) -> None:
    article = write_article(issue=issue, en="Headline", ru="Заголовок")
    original = article.translations.get(language="en")
    original.lead = "Another lead."
    original.save()
    article.translations.create(language="be", headline="Загаловак")
    texts = problem_texts(issue)
    assert "беларуская is not ready (draft)" in texts
    assert "русский is older than the last change to the original" in texts
    assert not has_blocker(find_problems(issue))


def test_readers_who_would_get_no_email_are_named(
    issue: Issue, write_article: WriteArticle
) -> None:
    write_article(issue=issue, en="Headline")
    assert "Readers of беларуская, русский would not get an email" in problem_texts(issue)
