"""Revisions, stale translations, and corrections."""

from __future__ import annotations

import pytest
import time_machine
from django.utils import timezone

from newsletter.editorial.models import Article, ArticleTranslation
from newsletter.editorial.revisions import is_stale, mark_up_to_date
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
    text = text_of(write_article(en="Headline"), "en")
    text.state = ArticleTranslation.State.REVIEW
    text.save()
    assert text.revision == 1


def test_a_translation_is_stale_until_it_is_updated(write_article: WriteArticle) -> None:
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
