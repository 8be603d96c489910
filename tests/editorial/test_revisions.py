"""Revisions, stale translations, and corrections."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from newsletter.editorial.models import Article, ArticleTranslation, Revision, User
from newsletter.editorial.revisions import is_stale, mark_as_sent, mark_up_to_date
from tests.conftest import WriteArticle


def text_of(article: Article, language: str) -> ArticleTranslation:
    return article.translations.get(language=language)


@pytest.mark.parametrize("field", ["headline", "lead", "body"])
def test_changing_a_text_makes_a_new_revision(write_article: WriteArticle, field: str) -> None:
    text = text_of(write_article(en="Headline"), "en")
    setattr(text, field, "<p>New words</p>")
    text.save()
    assert text.revision == 2


def test_saving_an_unchanged_text_makes_no_revision(write_article: WriteArticle) -> None:
    article = write_article(en="Headline")
    text_of(article, "en").save()
    assert text_of(article, "en").revision == 1
    assert article.revisions.count() == 1


def test_a_changed_state_is_in_the_history_but_makes_no_translation_stale(
    write_article: WriteArticle,
) -> None:
    article = write_article(en="Headline", be="Загаловак")
    text = text_of(article, "en")
    text.state = ArticleTranslation.State.REVIEW
    text.save()
    assert (text.revision, text.text_revision) == (2, 1)
    assert not is_stale(text_of(article, "be"), text)
    newest = article.revisions.filter(language="en").latest("number")
    assert newest.content["state"] == "review"


def test_a_translation_is_stale_until_it_is_marked_as_up_to_date(
    write_article: WriteArticle,
) -> None:
    article = write_article(en="Headline", be="Загаловак")
    assert not is_stale(text_of(article, "be"), text_of(article, "en"))
    original = text_of(article, "en")
    original.lead = "Another lead."
    original.save()
    assert is_stale(text_of(article, "be"), original)
    translation = text_of(article, "be")
    translation.lead = "Загаловак: lead.."
    translation.save()
    # A full stop more doesn't bring it up to date.
    assert is_stale(text_of(article, "be"), original)
    mark_up_to_date(translation)
    assert not is_stale(text_of(article, "be"), original)


def test_a_translation_that_needs_no_change_can_be_marked_up_to_date(
    write_article: WriteArticle,
) -> None:
    article = write_article(en="Headline", be="Загаловак")
    original = text_of(article, "en")
    original.lead = "Another lead."
    original.save()
    mark_up_to_date(text_of(article, "be"))
    assert not is_stale(text_of(article, "be"), original)


@time_machine.travel("2017-08-05T10:00:00Z", tick=False)
def test_a_correction_of_a_public_text_gets_a_date(write_article: WriteArticle) -> None:
    text = text_of(write_article(en="Headline"), "en")
    text.body, text.correction = "<p>Four people.</p>", "An earlier text said five."
    text.save()
    assert text.corrected_at == timezone.now()
    text.correction = ""
    text.save()
    assert text.corrected_at is None


@time_machine.travel("2017-07-25T10:00:00Z", tick=False)
def test_a_text_that_is_not_public_has_no_correction_date(write_article: WriteArticle) -> None:
    text = text_of(write_article(en="Headline"), "en")
    text.correction = "An earlier text said five."
    text.save()
    assert text.corrected_at is None


@pytest.fixture
def typing(write_article: WriteArticle, editor: User) -> Callable[[str, int], ArticleTranslation]:
    """A function that autosaves a lead at a second of an hour."""
    article = write_article(en="Headline", be="Загаловак", state="draft")

    def autosave(lead: str, second: int) -> ArticleTranslation:
        text = text_of(article, "en")
        text.lead = lead
        with time_machine.travel(datetime.fromtimestamp(second, tz=UTC), tick=False):
            text.save(by=editor, kind=Revision.Kind.AUTOSAVED)
        return text

    return autosave


def autosaved_leads() -> list[str]:
    rows = Revision.objects.filter(kind="autosaved").order_by("number")
    return [row.content["lead"] for row in rows]


def test_older_autosaves_are_thinned_out_to_one_in_ten_minutes(typing: Any) -> None:
    for minute in range(40):
        typing(f"minute {minute}", 600_000 + minute * 60)
    recent = [f"minute {minute}" for minute in range(29, 40)]
    assert autosaved_leads() == ["minute 9", "minute 19", *recent]


def test_the_revision_that_a_translation_matches_is_not_thinned_out(typing: Any) -> None:
    typing("seen by the translator", 600_000)
    text = ArticleTranslation.objects.get(language="be")
    mark_up_to_date(text)
    for minute in range(1, 40):
        typing(f"minute {minute}", 600_000 + minute * 60)
    assert autosaved_leads()[:3] == ["seen by the translator", "minute 9", "minute 19"]


def test_a_text_that_was_sent_is_marked_and_stays(typing: Any, editor: User) -> None:
    text = typing("sent", 600_000)
    mark_as_sent([(text.article_id, "en", text.revision)])
    for minute in range(1, 40):
        typing(f"minute {minute}", 600_000 + minute * 60)
    sent = Revision.objects.get(kind="sent")
    assert (sent.content["lead"], sent.author) == ("sent", editor)


def test_an_autosave_makes_no_slug_from_half_a_headline(
    write_article: WriteArticle, editor: User
) -> None:
    article = write_article(en="Headline")
    text = ArticleTranslation(article=article, language="be", headline="Хл")
    text.save(by=editor, kind=Revision.Kind.AUTOSAVED)
    assert text.slug == ""
    text.headline = "Хлеб даражэе"
    text.save(by=editor)
    assert text.slug == "khleb-darazhee"
