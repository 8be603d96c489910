"""Import errors say where the problem is, what it is, and what to do (B4)."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from newsletter.editorial.importing import DocumentError, import_document
from newsletter.editorial.importing.errors import EXCERPT
from newsletter.editorial.models import Newsletter
from tests.editorial.test_importing import ARTICLE, DOCUMENT

IN_ARTICLE = "issues[1].articles[0]"


@pytest.fixture
def document() -> dict[str, Any]:
    return copy.deepcopy(DOCUMENT)


def import_problems(document: object, base: Path) -> list[str]:
    with pytest.raises(DocumentError) as error:
        import_document(document, base=base)
    assert not Newsletter.objects.exists()
    return [str(problem) for problem in error.value.problems]


# --- All errors with their locations ------------------------------------------------------------
@pytest.mark.django_db
def test_all_errors_are_reported_together(document: dict[str, Any], tmp_path: Path) -> None:
    document["newsletter"]["schedule"]["time"] = "25:00"
    document["newsroom"] = {"accent": "red", "follow_links": [{"label": "x", "url": "http://x"}]}
    document["categories"].append({"name": {"en": "West"}})
    document["issues"][0]["starts_on"] = "17 July 2017"
    article = document["issues"][1]["articles"][0]
    article |= {"category": "politics", "hedline": "x", "image": {"file": "none.png"}}
    article["translations"]["be"] |= {"headline": 7}
    del article["translations"]["en"]["headline"]
    article["translations"]["ka"] = {"headline": "x"}
    assert import_problems(document, tmp_path) == [
        "newsletter.schedule.time: must be a time such as 09:00. Found: '25:00'",
        "newsroom.accent: Enter a colour such as #8a1c1c. Found: 'red'",
        "newsroom.follow_links[0].url: must begin with https://. Found: 'http://x'",
        "categories[1].slug: is missing. Add it.",
        "issues[0].starts_on: must be a date such as 2017-07-24. Found: '17 July 2017'",
        f"{IN_ARTICLE}.category: is not the slug of a category. Correct it, or add the category."
        " Found: 'politics'",
        f"{IN_ARTICLE}.translations.be.headline: must be a text in quotation marks. Found: 7",
        f"{IN_ARTICLE}.translations.en.headline: is missing. Add it.",
        f"{IN_ARTICLE}.translations.ka: is not a language of this newsletter. Remove it, or add"
        " the language. Found: 'ka'",
        f"{IN_ARTICLE}.image.file: The file cannot be read: No such file or directory."
        " Found: 'none.png'",
        f"{IN_ARTICLE}.hedline: is not a known name. Correct it or remove it.",
    ]


@pytest.mark.django_db
def test_articles_of_an_issue_must_not_contradict_each_other(
    document: dict[str, Any], tmp_path: Path
) -> None:
    articles = document["issues"][1]["articles"]
    articles += [copy.deepcopy(ARTICLE), copy.deepcopy(ARTICLE)]
    articles[1] |= {"trend": "improved"}
    del articles[2]["category"]
    assert import_problems(document, tmp_path) == [
        "issues[1].articles[1].trend: Another trend is stated for this category and week."
        " Keep one.",
        "issues[1].articles[2].category: is missing. Add it.",
    ]


@pytest.mark.django_db
def test_errors_from_the_models_are_reported_together(
    document: dict[str, Any], tmp_path: Path
) -> None:
    """Some rules need the database: weeks must not overlap, and slugs must be free."""
    document["issues"][0] |= {"kind": "weeks", "ends_on": "2017-07-30"}
    document["issues"].append({"kind": "special", "starts_on": "2017-08-02"})
    taken = {"headline": "Another", "slug": "taken"}
    document["articles"] = [
        {"published_at": "2017-06-01", "translations": {"en": taken}},
        {"published_at": "2017-06-01", "translations": {"be": taken}},
        {"published_at": "2017-06-01", "translations": {"en": {"headline": "Third"}, "be": taken}},
    ]
    found = import_problems(document, tmp_path)
    assert [problem.partition(": ")[0] for problem in found] == [
        "articles[2].translations.be.slug",
        "issues[1]",
        "issues[2]",
    ]
    assert "These weeks overlap" in found[1]
    assert "needs a slug" in found[2]


@pytest.mark.django_db
def test_each_unknown_similar_article_is_reported(document: dict[str, Any], tmp_path: Path) -> None:
    document["issues"][1]["articles"][0]["similar"] = ["nowhere", "headline", "never"]
    wrong = "is not the slug of an article. Correct it or remove it."
    assert import_problems(document, tmp_path) == [
        f"{IN_ARTICLE}.similar[0]: {wrong}",
        f"{IN_ARTICLE}.similar[2]: {wrong}",
    ]


@pytest.mark.django_db
def test_errors_are_in_the_active_language(document: dict[str, Any], tmp_path: Path) -> None:  # F1
    document["issues"][1]["starts_on"] = "soon"
    del document["newsletter"]["slug"]
    with translation.override("be"):
        assert import_problems(document, tmp_path) == [
            "newsletter.slug: адсутнічае. Дадайце.",
            "issues[1].starts_on: патрэбная дата, напрыклад 2017-07-24. Знойдзена: 'soon'",
        ]


# --- Single values ------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("starts_on", None, "starts_on: is missing. Add it."),
        ("starts_on", 20170724, "starts_on: must be a date such as 2017-07-24. Found: 20170724"),
        ("starts_on", "0217-07-24", "starts_on: must be at least 1900-01-01."),
        (
            "starts_on",
            "2017-07-25",
            "starts_on: A week runs from Monday to Sunday. Found: '2017-07-25'",
        ),
        ("approved", "true", "approved: must be true or false. Found: 'true'"),
        ("approved", 1, "approved: must be true or false. Found: 1"),
        ("kind", "month", "kind: must be one of: week, weeks, special, break. Found: 'month'"),
        ("articles", {}, "articles: must be a list, written […]."),
        ("articles", [3], "articles[0]: must be an object, written {…}. Found: 3"),
        ("trends", [], "trends: must be an object with a value for each language or category."),
        (
            "trends",
            {"west": "improved"},
            "trends.west: is not the slug of a category. Correct it, or add the category."
            " Found: 'west'",
        ),
        (
            "texts",
            {"be": {"subject": "x" * 201}},
            "texts.be.subject: is longer than 200 characters. Shorten it.",
        ),
        (
            "texts",
            {"be": {"subject": "x\0"}},
            "texts.be.subject: Remove U+0000 (a control character) after “x”.",
        ),
        ("texts", {"Be": {}}, "texts.Be: “Be” is not a language code."),
        ("x" * 99, 1, f"['{'x' * 40}'…]: is not a known name. Correct it or remove it."),
        ("\x1b[2J", 1, "['\\x1b[2J']: is not a known name. Correct it or remove it."),
    ],
)
@pytest.mark.django_db
def test_an_invalid_value_is_explained(
    name: str, value: Any, expected: str, document: dict[str, Any], tmp_path: Path
) -> None:
    document["issues"][1] |= {"articles": [], name: value}
    location = "issues[1]" if expected.startswith("[") else "issues[1]."
    assert import_problems(document, tmp_path) == [f"{location}{expected}"]


@pytest.mark.django_db
def test_errors_quote_only_the_start_of_a_value_without_control_characters(
    document: dict[str, Any], tmp_path: Path
) -> None:
    document["newsletter"]["schedule"]["time"] = "\x1b[2J" + "x" * 100_000
    (problem,) = import_problems(document, tmp_path)
    assert "\x1b" not in problem
    assert "Found: '\\x1b[2Jxxx" in problem
    assert len(problem) < 100 + EXCERPT
