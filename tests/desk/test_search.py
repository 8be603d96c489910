"""The search boxes of the desk, and the fields that look rows up while one types (H5)."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape

from newsletter.editorial.models import Article, Issue, Newsletter, Picture, Topic
from tests.conftest import WriteArticle

pytestmark = pytest.mark.django_db

WEEK = (date(2026, 11, 9), date(2026, 11, 15))


def listed(client: Client, model: str, **query: str) -> list[str]:
    """Return the texts of the links to rows in the desk's list."""
    page = client.get(f"/admin/editorial/{model}/", query).content.decode()
    return re.findall(r'<th class="field-[^"]*"><a href="[^"]*">([^<]*)</a>', page)


def completed(client: Client, model: str, field: str, term: str) -> list[str]:
    answer = client.get(
        "/admin/autocomplete/",
        {"app_label": "editorial", "model_name": model, "field_name": field, "term": term},
    )
    return [each["text"] for each in answer.json()["results"]]


@pytest.mark.parametrize(
    ("headline", "typed"),
    [
        ("Савет", "савет"),
        ("Сям’я", "сям'я"),
        ("Сямʼя", "сям'я"),
        ("Ёлка", "елка"),
        ("Выбары ў Мінску", "мінск"),
        ("Палітвязні", "палітвязень"),
    ],
)
def test_articles_are_found_however_a_word_is_written(
    write_article: WriteArticle, as_editor: Client, headline: str, typed: str
) -> None:
    write_article(be=headline)
    write_article(be="Іншае")
    assert listed(as_editor, "article", q=typed) == [headline]
    assert completed(as_editor, "article", "similar", typed) == [headline]


def test_the_words_of_a_body_are_found_in_every_language(
    write_article: WriteArticle, as_editor: Client
) -> None:
    write_article(en="Council").translations.create(
        language="ru", headline="Иное", body="<p>Редкое <strong>слово</strong></p>"
    )
    assert listed(as_editor, "article", q="СЛОВА редкие") == ["Council"]


def test_results_come_by_relevance_unless_a_column_is_chosen(
    write_article: WriteArticle, as_editor: Client
) -> None:
    write_article(be="Савет")
    write_article(be="Апошняе").translations.update(body="<p>Савет</p>")
    assert listed(as_editor, "article", q="савет") == ["Савет", "Апошняе"]
    assert listed(as_editor, "article", q="савет", o="-5") == ["Апошняе", "Савет"]


def test_a_search_goes_together_with_filters(
    write_article: WriteArticle, as_editor: Client
) -> None:
    write_article(be="Савет", ru="Совет")
    write_article(be="Савет", state="draft")
    ready = {"translations__state__exact": "ready"}
    assert listed(as_editor, "article", q="савет", **ready) == ["Савет"]


@pytest.mark.parametrize(
    ("typed", "language"),
    [
        ("9–15 November 2026", "en"),
        ("November 9 – November 15", "en"),
        ("9 ноября 2026", "ru"),
        ("лістапад 2026", "be"),
        ("2026-11-09", "en"),
        ("9.11.2026", "ru"),
    ],
)
def test_weeks_are_found_by_name_in_list_and_field(
    weekly: Newsletter, issue: Issue, as_editor: Client, typed: str, language: str
) -> None:
    found = Issue.objects.create(newsletter=weekly, starts_on=WEEK[0], ends_on=WEEK[1])
    assert listed(as_editor, "issue", q=typed) == [str(found)]
    assert completed(as_editor, "article", "issue", typed) == [str(found)]


def test_pictures_are_found_by_credit_and_headline(
    write_article: WriteArticle, as_editor: Client
) -> None:
    picture = Picture.objects.create(
        file="pictures/a.png", width=3, height=2, credit="Ганна Ёлкіна"
    )
    Article.objects.filter(pk=write_article(be="Савет").pk).update(picture=picture)
    for typed in ("елкіна", "САВЕТ"):
        assert completed(as_editor, "article", "picture", typed) == [str(picture)]
    assert completed(as_editor, "article", "picture", "іншае") == []


def test_topics_are_found_by_name(security: Topic, as_editor: Client) -> None:
    assert listed(as_editor, "topic", q="бяспека") == [str(security)]


@pytest.mark.parametrize("model", ["article", "issue", "picture", "topic"])
def test_an_empty_result_says_what_was_searched_and_offers_a_way_out(
    security: Topic, as_editor: Client, model: str
) -> None:
    answer = as_editor.get(f"/admin/editorial/{model}/", {"q": "<няма> такога"})
    page = answer.content.decode()
    assert "Nothing was found for “&lt;няма&gt; такога”." in page
    assert re.search(r"<p>\s*Searches \w+.* Every word has to be found", page)
    assert '<a href="?">Show everything</a>' in page
    assert "Search again without the filters" not in page


def test_an_empty_result_with_a_filter_offers_to_drop_it(
    write_article: WriteArticle, as_editor: Client
) -> None:
    write_article(be="Савет")
    query = {"q": "савет", "translations__state__exact": "draft"}
    page = as_editor.get("/admin/editorial/article/", query).content.decode()
    link = re.search(r'<a href="([^"]+)">Search again without the filters</a>', page)
    assert link
    again = as_editor.get("/admin/editorial/article/" + link[1].replace("&amp;", "&"))
    assert "Савет</a>" in again.content.decode()


NASTY = ["*", '"', "NEAR(", "a:*", "' OR 1=1 --", "[a-z]+(", "\\", "і ў на", "x" * 10_000]


@pytest.mark.parametrize("typed", NASTY, ids=range(len(NASTY)))
@pytest.mark.parametrize("model", ["article", "issue", "picture", "topic"])
def test_no_search_fails(
    write_article: WriteArticle, issue: Issue, as_editor: Client, model: str, typed: str
) -> None:
    write_article(be="Савет", issue=issue)
    answer = as_editor.get(f"/admin/editorial/{model}/", {"q": typed})
    assert answer.status_code == 200
    if not any(char.isalnum() for char in typed):
        expected = escape(f"“{typed}” has no letters or digits to search for.")
        assert expected in answer.content.decode()


@pytest.mark.parametrize("model", ["article", "issue", "picture"])
def test_more_results_take_no_more_queries(
    weekly: Newsletter, write_article: WriteArticle, as_editor: Client, model: str
) -> None:
    def add(number: int) -> None:
        first = date.fromordinal(WEEK[0].toordinal() + 7 * number)
        last = date.fromordinal(first.toordinal() + 6)
        issue = Issue.objects.create(newsletter=weekly, starts_on=first, ends_on=last)
        article = write_article(issue=issue, be=f"Савет {number}", ru="Совет")
        picture = Picture.objects.create(file="pictures/a.png", width=3, height=2, credit="Савет")
        Article.objects.filter(pk=article.pk).update(picture=picture)

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            answer: Any = as_editor.get(f"/admin/editorial/{model}/", {"q": "савет"})
        assert answer.status_code == 200
        return len(queries)

    add(0)
    count()  # caches what is looked up once
    few = count()
    for number in range(1, 9):
        add(number)
    assert count() == few
