"""Which article a document means is stated by ID or slug, never guessed (H3)."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from newsletter.editorial.importing import DocumentError, import_document, import_file
from newsletter.editorial.models import Article, ArticleTranslation, Newsletter, Revision
from tests.editorial.test_importing import ARTICLE, DOCUMENT, all_rows

pytestmark = pytest.mark.django_db

Load = Callable[..., Any]


def article(headline: str, **values: Any) -> dict[str, Any]:
    """Return an article in Russian; `slug` goes into its text."""
    text = {"headline": headline} | ({"slug": values.pop("slug")} if "slug" in values else {})
    return {"published_at": "2017-06-01T09:00:00Z", "translations": {"ru": text}, **values}


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Return a function that imports loose articles, or those of the given issues."""

    def load(*articles: dict[str, Any], issues: dict[str, list[Any]] | None = None) -> Any:
        document = copy.deepcopy(DOCUMENT) | {"articles": list(articles), "issues": []}
        for monday, inside in (issues or {}).items():
            document["issues"].append({"starts_on": monday, "articles": inside})
        return import_document(document, base=tmp_path)

    return load


def refused(load: Load, *articles: dict[str, Any], **options: Any) -> list[str]:
    before = all_rows()
    with pytest.raises(DocumentError) as error:
        load(*articles, **options)
    assert all_rows() == before
    return [str(problem) for problem in error.value.problems]


def headlines() -> dict[str, str]:
    return dict(ArticleTranslation.objects.order_by("pk").values_list("slug", "headline"))


# --- In one file --------------------------------------------------------------------------------
def test_a_headline_that_only_begins_alike_is_another_article(load: Load) -> None:
    """“Выборы” and “Выборы 2020” were taken for one article."""
    load(article("Выборы 2020"), article("Выборы"))
    assert headlines() == {"vybory-2020": "Выборы 2020", "vybory": "Выборы"}
    load(article("Выборы"))
    load(article("Выборы 2"))
    assert len(headlines()) == 3


@pytest.mark.parametrize(
    ("twice", "location"),
    [
        ([article("A", id="7"), article("B", id=7)], "articles[1].id"),
        ([article("Выборы!"), article("«Выборы»")], "articles[1].translations.ru.headline"),
        (
            [article("A", id=1, slug="x"), article("B", id=2, slug="x")],
            "articles[1].translations.ru.slug",
        ),
        ([article("A", slug="b"), article("B")], "articles[1].translations.ru.headline"),
    ],
)
def test_the_same_article_twice_is_refused_and_both_are_named(
    twice: list[dict[str, Any]], location: str, load: Load
) -> None:
    (problem,) = refused(load, *twice)
    assert problem.startswith(f"{location}: ")
    assert "articles[0]" in problem


def test_the_same_week_special_issue_or_category_twice_is_refused(tmp_path: Path) -> None:
    document = copy.deepcopy(DOCUMENT)
    special = {"kind": "special", "starts_on": "2017-08-02", "slug": "x"}
    document["issues"] += [{"starts_on": "2017-07-24"}, special, special]
    document["categories"] *= 2
    with pytest.raises(DocumentError) as error:
        import_document(document, base=tmp_path)
    assert [problem.location for problem in error.value.problems] == [
        "categories[1].slug",
        "issues[2].starts_on",
        "issues[4].slug",
    ]


# --- In the database ----------------------------------------------------------------------------
def test_a_corrected_headline_updates_the_article_with_the_id(load: Load) -> None:
    load(article("Выборы", id=7))
    load(article("Выборы прошли", id="7"))
    assert headlines() == {"vybory": "Выборы прошли"}
    assert Article.objects.get().external_id == "7"


def test_a_corrected_headline_updates_the_article_with_the_slug(load: Load) -> None:
    load(article("Выборы", slug="vote"))
    load(article("Выборы прошли", slug="vote"))
    assert headlines() == {"vote": "Выборы прошли"}


def test_an_article_written_here_is_not_overwritten_by_one_that_looks_alike(load: Load) -> None:
    load(article("Выборы"))
    (problem,) = refused(load, article("Выборы", id=7))
    assert "An article without an ID has the slug “vybory”." in problem
    load(article("Выборы", id=7, slug="vybory"))  # says that it is this one
    assert Article.objects.get().external_id == "7"
    load(article("Выборы", id=8))  # another ID, so another article
    assert headlines() == {"vybory": "Выборы", "vybory-2": "Выборы"}
    (problem,) = refused(load, article("Выборы", id=9, slug="vybory"))
    assert "The article with the ID “7” has the slug “vybory”." in problem


def test_the_same_headline_in_another_week_must_say_what_it_is(load: Load) -> None:
    """Each week's file may have “The week's news”."""
    load(issues={"2017-07-17": [article("Новости")]})
    (problem,) = refused(load, issues={"2017-07-24": [article("Новости")]})
    assert problem.startswith("issues[0].articles[0].translations.ru.headline: An article of anoth")
    load(issues={"2017-07-24": [article("Новости", slug="novosti")]})  # it has moved
    assert str(Article.objects.get().issue.starts_on) == "2017-07-24"  # type: ignore[union-attr]
    load(issues={"2017-07-17": [article("Новости", slug="novosti-17")]})
    assert len(headlines()) == 2


def test_another_newsletters_article_is_left_alone(load: Load) -> None:
    load(article("Выборы"))
    Newsletter.objects.update(slug="monthly")
    (problem,) = refused(load, article("Выборы"))
    assert "another newsletter" in problem
    load(article("Выборы", id=7))
    assert headlines() == {"vybory": "Выборы", "vybory-2": "Выборы"}


def test_two_articles_that_mean_the_same_stored_one_are_refused(load: Load) -> None:
    load(article("Выборы", id=7))
    (problem,) = refused(load, article("Прошли", id=7), article("Выборы"))
    assert problem.startswith("articles[1].translations.ru.headline: is the same stored article")
    assert "articles[0]" in problem


def test_a_slug_that_another_article_has_is_refused(load: Load) -> None:
    both = article("Выборы")
    both["translations"]["be"] = {"headline": "Выбары", "slug": "vote"}
    load(both)
    other = article("Другое", original_language="ru")
    other["translations"]["be"] = {"headline": "Іншае", "slug": "vote"}
    (problem,) = refused(load, other)
    assert problem.startswith("articles[0].translations.be.slug: Another article has the slug")


def test_an_existing_url_stays_and_the_report_says_so(load: Load) -> None:
    load(article("Выборы", id=7))
    report = load(article("Выборы", id=7, slug="other"))
    assert headlines() == {"vybory": "Выборы"}
    assert [str(loss) for loss in report.losses] == [
        "articles[0].translations.ru.slug: the slug: the article keeps “vybory”, so that its URL "
        "stays the same"
    ]


# --- Again --------------------------------------------------------------------------------------
def test_importing_again_writes_nothing(tmp_path: Path) -> None:
    document = copy.deepcopy(DOCUMENT)
    document["issues"][1]["articles"][0] = {**ARTICLE, "id": 1, "similar": ["two"]}
    document["issues"][1]["articles"].append(
        {
            "id": 2,
            "category": "security",
            "image": {"credit": "B. Pen"},
            "translations": {
                "en": {
                    "headline": "Two",
                    "lead": "a\r\nb\u2028c",
                    "body": "one\n\ntwo",
                    "slug": "two",
                },
            },
        }
    )
    import_document(document, base=tmp_path)
    before = all_rows()
    assert import_document(document, base=tmp_path).is_empty
    assert all_rows() == before
    assert ArticleTranslation.objects.get(slug="two").body == "<p>one</p><p>two</p>"
    assert set(ArticleTranslation.objects.values_list("revision", flat=True)) == {1}


# --- Lines --------------------------------------------------------------------------------------
def test_a_problem_names_its_line(tmp_path: Path) -> None:
    document = copy.deepcopy(DOCUMENT)
    article = document["issues"][1]["articles"][0]
    article["translations"]["be"]["headline"] = "a\u0007b"
    article["translations"]["en"] |= {"lead": 7, "hedline": "x"}
    text = json.dumps(document, indent=1, ensure_ascii=False)
    (tmp_path / "issues.json").write_text(text, encoding="utf-8")
    with pytest.raises(DocumentError) as error:
        import_file(tmp_path / "issues.json")
    lines = text.split("\n")
    for problem in error.value.problems:
        assert problem.line
        name = problem.location.rpartition(".")[2]
        assert f'"{name}": ' in lines[problem.line - 1]
    assert len(error.value.problems) == 3


def test_a_missing_value_has_the_line_of_its_object(tmp_path: Path) -> None:
    text = '{"newsletter": {"slug": "x", "languages": ["en"]},\n "categories": [\n  {"name": {}}]}'
    (tmp_path / "issues.json").write_text(text)
    with pytest.raises(CommandError) as error:
        call_command("import_issues", str(tmp_path / "issues.json"))
    assert "categories[0].slug (line 3): is missing. Add it." in str(error.value)


# --- What isn't kept ----------------------------------------------------------------------------
def test_the_report_lists_what_was_not_kept(tmp_path: Path, capsys: Any) -> None:
    """146 pictures and 8 tables of a real export disappeared silently."""
    document = copy.deepcopy(DOCUMENT)
    text = document["issues"][1]["articles"][0]["translations"]["en"]
    text["body"] = "<p>a<img src=x><img src=y></p><iframe src=z></iframe>"
    (tmp_path / "issues.json").write_text(json.dumps(document))
    for _again in range(2):
        call_command("import_issues", str(tmp_path / "issues.json"))
        printed = capsys.readouterr().out
        place = "issues[1].articles[0]"
        body = f"not kept: {place}.translations.en.body"
        for name in ("x", "y"):
            assert f"{body}: A picture was removed because it isn’t stored here: {name}" in printed
        assert f"{body}: Something that can’t be shown in a text was removed: iframe" in printed
    assert "Nothing to change" in printed


# --- Size ---------------------------------------------------------------------------------------
def test_many_articles_take_few_queries_each(
    load: Load, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    """2,000 articles in three languages are imported in under a minute."""
    many = [article(f"Новость {number}", id=number, similar=["novost-0"]) for number in range(50)]
    for each in many:
        each["translations"]["en"] = {"headline": f"{each['translations']['ru']['headline']} en"}
    many[0]["similar"] = []
    load(article("Первая"))
    # Each article has two translations, and each translation's text is also kept as a revision.
    with django_assert_max_num_queries(60):
        load(*many)
    assert Revision.objects.count() == ArticleTranslation.objects.count() == 101
    with django_assert_max_num_queries(40):
        assert load(*many).is_empty
