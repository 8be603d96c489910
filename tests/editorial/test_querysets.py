"""Which issues, articles and translations are public, and which trends an issue shows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from newsletter.editorial.models import (
    Article,
    ArticleTranslation,
    Issue,
    Newsletter,
    Topic,
    Trend,
)
from newsletter.editorial.schedule import Month
from tests.conftest import WriteArticle

NOW = datetime(2017, 8, 7, 7, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
WEEK = timedelta(days=7)


def add_issue(newsletter: Newsletter, monday: date, *, weeks: int = 1, **values: Any) -> Issue:
    last = monday + weeks * WEEK - timedelta(days=1)
    kind = Issue.Kind.WEEK if weeks == 1 else Issue.Kind.WEEKS
    return Issue.objects.create(
        newsletter=newsletter,
        **{"kind": kind, "starts_on": monday, "ends_on": last, "state": "approved", **values},
    )


@pytest.mark.parametrize("state", ["draft", "review", "ready"])
@pytest.mark.parametrize("published_at", [NOW, LATER])
@pytest.mark.parametrize("slug", ["talks", ""])
def test_rows_and_querysets_agree_on_what_is_public(
    write_article: WriteArticle, state: str, published_at: datetime, slug: str
) -> None:
    article = write_article(en="Talks", state=state, published_at=published_at)
    ArticleTranslation.objects.update(slug=slug)
    text = article.translations.get()
    expected = state == "ready" and published_at <= NOW and slug != ""
    assert text.is_public(NOW) is expected
    assert text.is_ready is ArticleTranslation.objects.ready().exists()
    assert ArticleTranslation.objects.public(NOW).exists() is expected
    assert Article.objects.public(NOW).exists() is expected


def test_a_public_article_comes_with_its_ready_translations_only(
    write_article: WriteArticle,
) -> None:
    article = write_article(en="Talks", be="Перамовы", ru="Переговоры")
    article.translations.filter(language="be").update(state="review")
    assert list(Article.objects.public(NOW).get().texts()) == ["en", "ru"]
    assert list(Article.objects.visible_to(staff=False, at=NOW).get().texts()) == ["en", "ru"]
    assert list(Article.objects.visible_to(staff=True, at=NOW).get().texts()) == ["en", "be", "ru"]


def test_staff_see_drafts_and_embargoed_articles(
    weekly: Newsletter, issue: Issue, write_article: WriteArticle
) -> None:
    write_article(issue=issue, en="Draft", state="draft")
    write_article(issue=issue, en="Embargoed", published_at=LATER)
    add_issue(weekly, date(2017, 7, 31), kind=Issue.Kind.BREAK)
    assert Article.objects.visible_to(staff=True, at=NOW).count() == 2
    assert Article.objects.visible_to(staff=False, at=NOW).count() == 0
    assert list(Issue.objects.visible_to(staff=True, at=NOW)) == [issue]
    assert list(Issue.objects.visible_to(staff=False, at=NOW)) == []


def test_the_latest_public_issue_has_a_public_article(
    weekly: Newsletter, write_article: WriteArticle
) -> None:
    first, coming, draft = (
        add_issue(weekly, date(2017, 7, 17)),
        add_issue(weekly, date(2017, 7, 24)),
        add_issue(weekly, date(2017, 7, 31), state=Issue.State.DRAFT),
    )
    add_issue(weekly, date(2017, 8, 7))  # without an article
    for issue in (first, draft):
        write_article(issue=issue, en="Talks")
    write_article(issue=coming, en="Guards", published_at=LATER)
    assert weekly.issues.latest_public(NOW) == first
    assert weekly.issues.latest_public(LATER) == coming
    assert Issue.objects.none().latest_public(NOW) is None


def test_the_article_count_includes_only_public_articles(
    issue: Issue, write_article: WriteArticle
) -> None:
    write_article(issue=issue, en="Talks", be="Перамовы")
    write_article(issue=issue, en="Guards")
    write_article(issue=issue, en="Draft", state="draft")
    write_article(issue=issue, en="Embargoed", published_at=LATER)
    counted = Issue.objects.with_article_count(NOW).get()
    assert vars(counted)["article_count"] == 2


def test_each_week_is_covered_by_one_issue_or_break(weekly: Newsletter) -> None:
    span = add_issue(weekly, date(2017, 7, 3), weeks=2)
    pause = add_issue(weekly, date(2017, 7, 17), weeks=2, kind=Issue.Kind.BREAK)
    add_issue(weekly, date(2017, 6, 26), weeks=9, kind=Issue.Kind.SPECIAL, slug="summer")
    weeks = [date(2017, 6, 26) + n * WEEK for n in range(6)]
    found = [weekly.issues.for_week(week) for week in weeks]
    assert found == [None, span, span, pause, pause, None]
    assert [span.goes_out_with(week) for week in weeks] == [False, False, True, False, False, False]
    assert not any(pause.goes_out_with(week) for week in weeks)


def test_an_issue_belongs_to_the_month_of_its_last_week(weekly: Newsletter) -> None:
    july = add_issue(weekly, date(2017, 7, 17))
    august = add_issue(weekly, date(2017, 7, 24), weeks=2)
    assert list(Issue.objects.for_month(Month(2017, 7))) == [july]
    assert list(Issue.objects.for_month(Month(2017, 8))) == [august]
    for issue, month in ((july, Month(2017, 7)), (august, Month(2017, 8))):
        assert Month.of(issue.ends_on) == month


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("2017-07-24", "week"),
        ("summer", "special"),
        ("2017-08-07", "dated"),
        ("20170724", None),
        ("2017-07-25", None),
        ("autumn", None),
    ],
)
def test_an_issue_is_found_by_its_key(weekly: Newsletter, key: str, found: str | None) -> None:
    special = Issue.Kind.SPECIAL
    issues = {
        "week": add_issue(weekly, date(2017, 7, 24)),
        "special": add_issue(weekly, date(2017, 7, 24), slug="summer", kind=special),
        "dated": add_issue(weekly, date(2017, 8, 8), slug="2017-08-07", kind=special),
    }
    assert Issue.objects.by_key(key) == (issues[found] if found else None)


# --- Trends -----------------------------------------------------------------------------------
def test_the_trend_of_the_last_week_wins(weekly: Newsletter, security: Topic) -> None:
    span = add_issue(weekly, date(2017, 7, 3), weeks=3)
    assert Trend.objects.for_issue(span) == {}
    for day, status in ((26, "unchanged"), (3, "improved"), (24, "unchanged")):
        month = 6 if day == 26 else 7
        Trend.objects.create(topic=security, week=date(2017, month, day), status=status)
    assert Trend.objects.for_issue(span) == {security.pk: "improved"}
    Trend.objects.create(topic=security, week=date(2017, 7, 10), status="worsened")
    assert Trend.objects.for_issue(span) == {security.pk: "worsened"}


def test_special_issues_and_other_newsletters_have_no_trends(
    weekly: Newsletter, security: Topic
) -> None:
    other = Newsletter.objects.create(slug="other", languages=["en"], sender_address="o@x.example")
    special = add_issue(weekly, date(2017, 7, 3), kind=Issue.Kind.SPECIAL, slug="summer")
    Trend.objects.create(topic=security, week=date(2017, 7, 3), status="improved")
    assert Trend.objects.for_issue(special) == {}
    assert Trend.objects.for_issue(add_issue(other, date(2017, 7, 3))) == {}


def test_the_trends_of_many_issues_take_one_query(
    weekly: Newsletter, security: Topic, django_assert_num_queries: Any
) -> None:
    issues = [add_issue(weekly, date(2017, 7, 3) + n * WEEK) for n in range(4)]
    for issue in issues[::2]:
        Trend.objects.create(topic=security, week=issue.starts_on, status="improved")
    with django_assert_num_queries(1):
        found = Trend.objects.for_issues(issues)
    assert found == {issue.pk: {security.pk: "improved"} for issue in issues[::2]}
    with django_assert_num_queries(0):
        assert Trend.objects.for_issues([]) == {}
