"""The column of lexemes and its index follow every way of writing, on both databases (H5)."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core import serializers
from django.core.management import call_command
from django.db import connection, models, transaction

from newsletter.editorial.models import Article, ArticleTranslation, IssueTranslation, Picture
from newsletter.editorial.search import index
from newsletter.editorial.search.fields import index_name
from newsletter.editorial.search.query import parse
from newsletter.editorial.search.searchable import searchable_models
from tests.conftest import WriteArticle

pytestmark = pytest.mark.django_db


def headlines(text: str) -> list[str]:
    """Return the headlines of the texts in which the words are found, by the index."""
    rows = ArticleTranslation.objects.filter(lexemes__matches=parse(text)).order_by("pk")
    return [row.headline for row in rows]


@pytest.fixture
def text(write_article: WriteArticle) -> ArticleTranslation:
    found: ArticleTranslation = write_article(be="Савет").translations.get()
    return found


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("Савет", "савет"),
        ("САВЕТЫ", "савет"),
        ("Сям’я", "сям'я"),
        ("Сямʼя", "сям'я"),
        ("Сям'я", "сямʼя"),
        ("Ёлка", "елка"),
        ("Елка", "ЁЛКА"),
        ("Ўлада", "улада"),
        ("Ідэя", "ідэя"),
        ("Палітвязні", "палітвяз"),
        ("Мой край", "край мо"),
    ],
)
def test_a_text_is_found_however_it_is_written(
    text: ArticleTranslation, written: str, typed: str
) -> None:
    text.headline = written
    text.save()
    assert headlines(typed) == [written]


def test_letters_that_differ_stay_apart(text: ArticleTranslation) -> None:
    text.headline = "Мой воўк"
    text.save()
    assert headlines("мои") == []
    assert headlines("воук") == []


def test_headline_lead_body_and_authors_are_found_in_each_language(
    text: ArticleTranslation,
) -> None:
    text.lead, text.body, text.authors = "Пачатак", "<p>Сярэд<em>зіна</em></p>", "Янка Купала"
    text.save()
    for word in ("савет", "пачатак", "сярэдзіна", "купала"):
        assert headlines(word) == ["Савет"]
    ArticleTranslation.objects.create(article=text.article, language="ka", headline="საბჭო")
    assert headlines("საბჭ") == ["საბჭო"]


def test_a_changed_text_is_found_by_its_new_words_only(text: ArticleTranslation) -> None:
    text.headline = "Выбары"
    text.lead = text.body = ""
    text.save()
    assert headlines("савет") == []
    assert headlines("выбары") == ["Выбары"]


def test_a_deleted_text_is_not_found(text: ArticleTranslation) -> None:
    text.article.delete()
    assert headlines("савет") == []
    # The index knows nothing of it either: a new row could otherwise inherit its words.
    again = ArticleTranslation(pk=text.pk, article=text.article, language="be", headline="Іншае")
    again.article = Article.objects.create(newsletter=text.article.newsletter)
    again.save(force_insert=True)
    assert headlines("савет") == []


def _update(text: ArticleTranslation) -> None:
    # The condition no longer holds afterwards.
    ArticleTranslation.objects.filter(headline="Савет").update(headline="Выбары")


def _related_update(text: ArticleTranslation) -> None:
    text.article.translations.update(headline="Выбары")


def _bulk_update(text: ArticleTranslation) -> None:
    text.headline = "Выбары"
    ArticleTranslation.objects.bulk_update([text], ["headline"])


def _save_only_the_headline(text: ArticleTranslation) -> None:
    text.headline = "Выбары"
    text.save(update_fields=["headline"])


def _save_a_row_read_without_lexemes(text: ArticleTranslation) -> None:
    row = ArticleTranslation.objects.get(pk=text.pk)
    assert "lexemes" in row.get_deferred_fields()
    row.headline = "Выбары"
    row.save()


def _insert_or_update(text: ArticleTranslation) -> None:
    ArticleTranslation.objects.bulk_create(
        [ArticleTranslation(article=text.article, language="be", headline="Выбары", slug="v")],
        update_conflicts=True,
        unique_fields=["article", "language"],
        update_fields=["headline"],
    )


@pytest.mark.parametrize(
    "write",
    [
        _update,
        _related_update,
        _bulk_update,
        _save_only_the_headline,
        _save_a_row_read_without_lexemes,
        _insert_or_update,
    ],
)
def test_every_way_of_changing_a_text_is_followed(
    text: ArticleTranslation, write: Callable[[ArticleTranslation], None]
) -> None:
    write(text)
    assert headlines("выбары") == ["Выбары"]


def test_rows_that_are_inserted_together_are_found(text: ArticleTranslation) -> None:
    ArticleTranslation.objects.bulk_create(
        ArticleTranslation(article=text.article, language=code, headline=f"Выбары {code}")
        for code in ("en", "ru")
    )
    assert headlines("выбары") == ["Выбары en", "Выбары ru"]


def test_a_partial_save_keeps_the_words_that_a_colleague_stored(text: ArticleTranslation) -> None:
    """The object in memory holds an older headline than the database."""
    ArticleTranslation.objects.filter(pk=text.pk).update(headline="Выбары")
    text.lead = "Пачатак"
    text.save(update_fields=["lead"])
    assert headlines("пачатак выбары") == ["Выбары"]


def test_a_loaded_fixture_is_found(text: ArticleTranslation) -> None:
    fixture = serializers.serialize("json", [text])
    assert "lexemes" not in fixture
    ArticleTranslation.objects.all().delete()
    for row in serializers.deserialize("json", fixture):
        row.save()
    assert headlines("савет") == ["Савет"]


def test_a_change_that_is_rolled_back_is_not_found(text: ArticleTranslation) -> None:
    with transaction.atomic():
        text.headline = "Выбары"
        text.save()
        transaction.set_rollback(True)
    assert headlines("выбары") == []
    assert headlines("савет") == ["Савет"]


def test_pages_read_no_lexemes(text: ArticleTranslation, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1) as queries:
        list(ArticleTranslation.objects.all())
    assert "lexemes" not in queries[0]["sql"]


def test_a_huge_text_can_be_stored(text: ArticleTranslation) -> None:
    text.body = " ".join(f"слова{n}" for n in range(120_000))
    text.save()
    assert headlines("слова7777") == ["Савет"]


def test_rebuild_search_repairs_column_and_index(text: ArticleTranslation) -> None:
    """It can be repeated, and says how many rows it changed."""
    models.QuerySet(ArticleTranslation).update(lexemes="")
    with connection.cursor() as cursor:
        name = index_name(ArticleTranslation._meta.db_table)
        table = ArticleTranslation._meta.db_table
        if connection.vendor == "sqlite":
            cursor.execute(f"DROP TRIGGER {name}_update")
            cursor.execute(f"DROP TABLE {name}")
        else:
            connection.check_constraints()  # an index can't be dropped while some are pending
            cursor.execute(f"DROP INDEX {name}")
        assert name not in index._known(connection, table)
    first, second = io.StringIO(), io.StringIO()
    call_command("rebuild_search", stdout=first)
    assert "Translation: 1 searchable, 1 of them changed" in first.getvalue()
    assert headlines("савет") == ["Савет"]
    call_command("rebuild_search", stdout=second)
    assert "Translation: 1 searchable, 0 of them changed" in second.getvalue()
    text.headline = "Выбары"
    text.save()
    assert headlines("выбары") == ["Выбары"]


def test_after_migrating_the_index_is_complete_again(text: ArticleTranslation) -> None:
    """On SQLite, a migration that remakes the table drops the triggers."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL keeps an index")
    name = index_name(ArticleTranslation._meta.db_table)
    with connection.cursor() as cursor:
        for event in ("insert", "update", "delete"):
            cursor.execute(f"DROP TRIGGER {name}_{event}")
        text.headline = "Выбары"
        text.save()
        assert headlines("выбары") == []
        index.create_missing(ArticleTranslation, using="default")
        assert headlines("выбары") == ["Выбары"]
        cursor.execute(f"INSERT INTO {name} ({name}) VALUES ('integrity-check')")  # noqa: S608


def test_the_index_is_used(text: ArticleTranslation) -> None:
    rows = ArticleTranslation.objects.filter(lexemes__matches=parse("савета тыд"))
    name = index_name(ArticleTranslation._meta.db_table)
    if connection.vendor == "sqlite":
        plan = rows.values("article").explain()
        assert f"SCAN {name} VIRTUAL TABLE INDEX" in plan
        # The keys of the articles come from an index too: the rows hold whole texts.
        assert "SCAN editorial_articletranslation USING COVERING INDEX" in plan
        return
    with connection.cursor() as cursor:  # otherwise the planner reads a table this small
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert f"Bitmap Index Scan on {name}" in rows.explain()


def test_postgresql_takes_every_word_for_a_rare_one(write_article: WriteArticle) -> None:
    """A word that is in all texts must not make the planner read them all."""
    if connection.vendor != "postgresql":
        pytest.skip("about PostgreSQL's planner")
    article = write_article(be="Савет")
    body = " ".join(f"слова{number}" for number in range(50))
    ArticleTranslation.objects.bulk_create(
        ArticleTranslation(article=article, language=f"aa-{a}{b}", headline="Савет", body=body)
        for a in "abcdefghijklmnopqrstuvwxyz"
        for b in "abcdefghijklmnopqrstuvwxyz"
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE editorial_articletranslation")
    plan = ArticleTranslation.objects.filter(lexemes__matches=parse("савет")).explain()
    assert "Bitmap Index Scan" in plan


def test_every_searchable_model_has_an_index() -> None:
    from django.apps import apps

    found = searchable_models(apps.get_models())
    assert set(found) == {ArticleTranslation, IssueTranslation, Picture}
    for model in found:
        table = model._meta.db_table
        assert index_name(table) in index._known(connection, table)
        assert list(model._default_manager.filter(lexemes__matches=parse("савет"))) == []


def test_nothing_matches_a_query_without_words(text: ArticleTranslation) -> None:
    assert headlines("*") == []
    assert Picture.objects.filter(lexemes__matches=parse("")).count() == 0
