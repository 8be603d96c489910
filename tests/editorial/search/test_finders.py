"""Articles, issues, pictures and topics are found, the most relevant first (H5)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from newsletter.editorial.finders import find_articles, find_issues, find_pictures, find_topics
from newsletter.editorial.models import (
    Article,
    ArticleTranslation,
    Issue,
    IssueTranslation,
    Newsletter,
    Picture,
    Topic,
)
from tests.conftest import WriteArticle

pytestmark = pytest.mark.django_db


def articles(text: str) -> list[str]:
    return [str(row) for row in find_articles(Article.objects.all(), text)]


def issues(text: str) -> list[str]:
    return [row.key for row in find_issues(Issue.objects.all(), text)]


@pytest.fixture
def weeks(weekly: Newsletter) -> None:
    for first, last in [
        (date(2025, 11, 3), date(2025, 11, 9)),
        (date(2026, 11, 2), date(2026, 11, 8)),
        (date(2026, 11, 9), date(2026, 11, 15)),
        (date(2026, 12, 28), date(2027, 1, 3)),
    ]:
        Issue.objects.create(newsletter=weekly, starts_on=first, ends_on=last)


def test_headlines_come_before_leads_and_leads_before_texts_then_the_newest(
    write_article: WriteArticle,
) -> None:
    def write(headline: str, year: int, **parts: str) -> None:
        article = write_article(be=headline, published_at=datetime(year, 1, 1, tzinfo=UTC))
        article.translations.update(**{"lead": "", "body": "", **parts})

    write("У тэксце 2026", 2026, body="<p>Савет</p>")
    write("У тэксце 2025", 2025, body="<p>Савет</p>")
    write("У лідзе", 2024, lead="Савет")
    write("Савет 2023", 2023)
    write("Савет 2022", 2022)
    write("Нічога", 2026)
    assert articles("савет") == [
        "Савет 2023",
        "Савет 2022",
        "У лідзе",
        "У тэксце 2026",
        "У тэксце 2025",
    ]


def test_an_article_is_found_once_and_by_any_of_its_languages(write_article: WriteArticle) -> None:
    article = write_article(en="Council", be="Савет", ru="Совет")
    for text in ("council", "савет", "совет", "headline"):
        found = find_articles(Article.objects.all(), text)
        assert list(found) == ([article] if text != "headline" else [])
        assert found.count() == len(found)


def test_all_words_have_to_be_in_one_text(write_article: WriteArticle) -> None:
    write_article(en="Council", be="Савет")
    assert articles("council савет") == []


def test_a_caller_can_say_which_texts_may_be_found(write_article: WriteArticle) -> None:
    article = write_article(be="Савет", ru="Выборы")
    article.translations.filter(language="be").update(state="draft")
    public = ArticleTranslation.objects.public(datetime(2030, 1, 1, tzinfo=UTC))
    assert list(find_articles(Article.objects.all(), "савет", texts=public)) == []
    assert list(find_articles(Article.objects.all(), "выборы", texts=public)) == [article]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("9–15 November 2026", ["2026-11-09"]),
        ("9 ноября 2026", ["2026-11-09"]),
        ("2026-11-09", ["2026-11-09"]),
        ("9.11.2026", ["2026-11-09"]),
        ("12 лістапада 2026", ["2026-11-09"]),
        ("лістапад 2026", ["2026-11-09", "2026-11-02"]),
        # The week with just these days comes before others that share one of them.
        ("November 2 – November 8", ["2026-11-02", "2025-11-03"]),
        ("November 9 – November 15", ["2026-11-09", "2025-11-03"]),
        ("2027", ["2026-12-28"]),
        ("December 28 – January 3", ["2026-12-28"]),
        ("31 November 2026", []),
        ("9 November 2031", []),
    ],
)
def test_weeks_are_found_by_their_written_name(weeks: None, text: str, found: list[str]) -> None:
    assert issues(text) == found


def test_an_issue_is_found_by_its_texts_before_its_articles(
    weekly: Newsletter, weeks: None, write_article: WriteArticle
) -> None:
    by_article, by_subject, *_rest = Issue.objects.order_by("-starts_on")
    write_article(issue=by_article, be="Савет")
    write_article(be="Савет")  # without an issue
    IssueTranslation.objects.create(issue=by_subject, language="be", subject="Саветы")
    special = Issue.objects.create(
        newsletter=weekly,
        kind="special",
        slug="council-2020",
        starts_on=date(2020, 1, 1),
        ends_on=date(2020, 1, 1),
    )
    assert issues("савет") == [by_subject.key, by_article.key]
    assert issues("Council") == [special.key]
    assert issues("council 2020") == [special.key]
    assert issues("нічога") == []


def test_a_month_is_also_a_word(weeks: None, write_article: WriteArticle) -> None:
    march = Issue.objects.order_by("starts_on")[0]
    write_article(issue=march, en="The March of the Ice")
    assert issues("march") == [march.key]


def test_without_issues_a_week_finds_nothing(db: None) -> None:
    assert issues("9–15 November") == []


def make_picture(*, credit: str) -> Picture:
    return Picture.objects.create(file="pictures/a.png", width=3, height=2, credit=credit)


def test_pictures_are_found_by_credit_and_by_the_headlines_of_their_articles(
    write_article: WriteArticle,
) -> None:
    by_headline = make_picture(credit="Hanna")
    by_credit = make_picture(credit="Савет Еўропы")
    make_picture(credit="Other")
    article = write_article(be="Савет")
    Article.objects.filter(pk=article.pk).update(picture=by_headline)
    article.translations.update(lead="Тыдзень")
    assert list(find_pictures(Picture.objects.all(), "савет")) == [by_credit, by_headline]
    assert list(find_pictures(Picture.objects.all(), "hanna")) == [by_headline]
    assert list(find_pictures(Picture.objects.all(), "тыдзень")) == []


def test_topics_are_found_by_any_name(security: Topic) -> None:
    for text in ("бяспек", "SECURITY", "безопасность"):
        assert list(find_topics(Topic.objects.all(), text)) == [security]
    assert list(find_topics(Topic.objects.all(), "іншае")) == []


NASTY = [
    "*",
    '"',
    "'",
    '"""',
    "NEAR(a b, 2)",
    "NEAR",
    "a AND",
    "OR NOT",
    "lexemes: a",
    "a:*",
    "(((",
    "^a + b - c",
    "a & | ! <-> b",
    "\\",
    "%_",
    "[a-z]+(?=",
    "'; DROP TABLE editorial_article; --",
    "і ў на з",
    "the of and",
    "\x00",
    "\ud800",
    "\u202e\u200b",
    "۹",
    "слова " * 1700,
    "а" * 10_000,
    '"' * 10_000,
    "* " * 5_000,
    "9–" * 3_000,
]


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
def test_no_search_fails(
    write_article: WriteArticle, weeks: None, text: str, django_assert_max_num_queries: Any
) -> None:
    write_article(be="Савет")
    with django_assert_max_num_queries(6):
        list(find_articles(Article.objects.all(), text))
        list(find_issues(Issue.objects.all(), text))
        list(find_pictures(Picture.objects.all(), text))
        list(find_topics(Topic.objects.all(), text))
