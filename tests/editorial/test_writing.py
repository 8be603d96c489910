"""I1: saves on top of an older text, of the same language at once, and of removed ones."""

from __future__ import annotations

import pytest

from newsletter.editorial import writing
from newsletter.editorial.models import Article, ArticleTranslation, Revision, User
from newsletter.editorial.revisions import is_stale
from newsletter.editorial.writing import Conflict, Saved, SavedOnRequestOnlyError
from tests.conftest import WriteArticle


@pytest.fixture
def hanna(db: None) -> User:
    return User.objects.create_user("hanna", is_staff=True)


@pytest.fixture
def vera(db: None) -> User:
    return User.objects.create_user("vera", is_staff=True)


@pytest.fixture
def article(write_article: WriteArticle) -> Article:
    return write_article(en="Low water", be="Нізкая вада", state="draft")


def saved(result: Saved | Conflict) -> ArticleTranslation:
    assert isinstance(result, Saved)
    return result.text


def conflict(result: Saved | Conflict) -> Conflict:
    assert isinstance(result, Conflict)
    return result


def stored(article: Article, language: str = "be") -> ArticleTranslation:
    return article.translations.get(language=language)


def test_a_save_on_top_of_the_newest_text_is_stored_with_its_author(
    article: Article, hanna: User
) -> None:
    text = saved(writing.save_text(article, "be", {"lead": "Лід."}, base=1, by=hanna))
    assert (text.lead, text.revision) == ("Лід.", 2)
    row = Revision.objects.get(language="be", number=2)
    assert (row.author, row.kind, row.content["lead"]) == (hanna, "saved", "Лід.")


@pytest.mark.parametrize("first_is_hanna", [True, False])
def test_a_save_on_top_of_an_older_text_keeps_both(
    article: Article, hanna: User, vera: User, *, first_is_hanna: bool
) -> None:
    first, second = (hanna, vera) if first_is_hanna else (vera, hanna)
    saved(writing.save_text(article, "be", {"lead": "Першы."}, base=1, by=first))
    result = conflict(writing.save_text(article, "be", {"lead": "Другі."}, base=1, by=second))
    assert stored(article).lead == "Першы."
    assert (result.latest.number, result.latest.author) == (2, first)
    assert (result.kept.number, result.kept.kind, result.kept.base) == (3, "kept", 1)
    assert result.kept.content["lead"] == "Другі."
    assert writing.open_text(article, "be", by=second) == result.kept
    # Choosing saves on top of the newest, and settles the text that was kept aside.
    text = saved(writing.save_text(article, "be", {"lead": "Абодва."}, base=2, by=second))
    assert (text.lead, text.revision) == ("Абодва.", 4)
    assert writing.open_text(article, "be", by=second) is None


def test_two_people_change_two_languages_of_one_article(
    article: Article, hanna: User, vera: User
) -> None:
    saved(writing.save_text(article, "be", {"lead": "Лід."}, base=1, by=hanna))
    saved(writing.save_text(article, "en", {"lead": "Lead."}, base=1, by=vera))
    assert (stored(article).lead, stored(article, "en").lead) == ("Лід.", "Lead.")


def test_two_people_start_a_language_at_once(article: Article, hanna: User, vera: User) -> None:
    saved(writing.save_text(article, "ru", {"headline": "Вода"}, base=0, by=hanna))
    result = conflict(writing.save_text(article, "ru", {"headline": "Река"}, base=0, by=vera))
    assert stored(article, "ru").headline == "Вода"
    assert result.kept.content["headline"] == "Река"


def test_a_second_click_or_an_unchanged_page_is_no_conflict(
    article: Article, hanna: User, vera: User
) -> None:
    saved(writing.save_text(article, "be", {"lead": "Лід."}, base=1, by=hanna))
    again = writing.save_text(article, "be", {"lead": "Лід."}, base=1, by=hanna)
    assert isinstance(again, Saved)
    assert not again.is_new
    opened_before = Revision.objects.get(language="be", number=1).content
    unchanged = writing.save_text(article, "be", opened_before, base=1, by=vera)
    assert isinstance(unchanged, Saved)
    assert not unchanged.is_new
    assert stored(article).lead == "Лід."


def test_an_autosave_on_top_of_an_older_text_replaces_what_it_kept_before(
    article: Article, hanna: User, vera: User
) -> None:
    saved(writing.save_text(article, "be", {"lead": "Першы."}, base=1, by=hanna))
    for lead in ("Др", "Другі."):
        result = writing.save_text(
            article, "be", {"lead": lead}, base=1, by=vera, kind=Revision.Kind.AUTOSAVED
        )
        conflict(result)
    (kept,) = Revision.objects.filter(kind="kept")
    assert kept.content["lead"] == "Другі."


def test_a_ready_text_is_saved_only_on_request(write_article: WriteArticle, hanna: User) -> None:
    article = write_article(en="Low water")
    with pytest.raises(SavedOnRequestOnlyError):
        writing.save_text(
            article, "en", {"lead": "x"}, base=1, by=hanna, kind=Revision.Kind.AUTOSAVED
        )
    assert stored(article, "en").lead == "Low water: lead."
    assert saved(writing.save_text(article, "en", {"lead": "x"}, base=1, by=hanna)).lead == "x"


def test_a_removed_translation_can_be_restored(article: Article, hanna: User) -> None:
    assert not writing.remove_text(stored(article), base=7, by=hanna)
    assert writing.remove_text(stored(article), base=1, by=hanna)
    assert not article.translations.filter(language="be").exists()
    removed = Revision.objects.get(language="be", kind="removed")
    text = saved(writing.restore(removed, base=0, by=hanna))
    assert (text.headline, text.state, text.revision) == ("Нізкая вада", "draft", 3)


def test_a_text_typed_while_its_translation_was_removed_is_kept(
    article: Article, hanna: User, vera: User
) -> None:
    writing.remove_text(stored(article), base=1, by=hanna)
    result = conflict(writing.save_text(article, "be", {"lead": "Мой."}, base=1, by=vera))
    assert (result.latest.kind, result.latest.author) == ("removed", hanna)
    assert result.kept.content["lead"] == "Мой."


def test_restoring_makes_a_new_revision_and_keeps_the_state(
    write_article: WriteArticle, hanna: User
) -> None:
    article = write_article(en="Low water")
    writing.save_text(article, "en", {"headline": "High water"}, base=1, by=hanna)
    first = Revision.objects.get(language="en", number=1)
    text = saved(writing.restore(first, base=2, by=hanna))
    assert (text.headline, text.state, text.revision) == ("Low water", "ready", 3)


def test_a_translation_is_made_from_the_original_that_its_author_saw(
    article: Article, hanna: User
) -> None:
    saved(writing.save_text(article, "en", {"lead": "Changed meanwhile."}, base=1, by=hanna))
    text = saved(writing.save_text(article, "ru", {"lead": "Лид"}, base=0, by=hanna, source=1))
    assert is_stale(text, stored(article, "en"))
    marked = writing.save_text(
        article, "ru", {}, base=text.revision, by=hanna, source=2, up_to_date=True
    )
    text = saved(marked)
    assert not is_stale(text, stored(article, "en"))


def test_facts_that_changed_in_the_meantime_are_not_overwritten(article: Article) -> None:
    first, second = Article.objects.get(), Article.objects.get()
    first.position, second.position = 5, 6
    assert writing.save_facts(first, version=1)
    assert not writing.save_facts(second, version=1)
    assert list(Article.objects.values_list("position", "version")) == [(5, 2)]
    assert writing.save_facts(second, version=2)
