"""Which translation of a text is shown (F4)."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from newsletter.editorial.models import (
    Issue,
    IssueTranslation,
    Newsletter,
    NewsletterTranslation,
    Newsroom,
    Topic,
)

pytestmark = pytest.mark.django_db


def test_text_returns_the_first_available_language_of_the_chain(security: Topic) -> None:
    security.translations.filter(language="be").delete()
    text = security.text(("be", "ru", "en"))
    assert text is not None
    assert (text.language, text.name) == ("ru", "Безопасность")
    assert security.text(("ka",)) is None


def test_any_text_falls_back_to_the_oldest_translation(issue: Issue) -> None:
    for language in ("ru", "be"):
        IssueTranslation.objects.create(issue=issue, language=language, subject=language)
    # PostgreSQL returns an updated row last.
    IssueTranslation.objects.filter(language="ru").update(subject="updated")
    assert list(issue.texts()) == ["ru", "be"]
    text = issue.any_text(("ka", "en"))
    assert text is not None
    assert text.language == "ru"
    issue.translations.all().delete()
    assert issue.any_text(("ru",)) is None


def test_prefetched_translations_take_no_query(
    security: Topic, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        assert security.name_in(("ka",)) == "Security"
    with django_assert_num_queries(2):
        [topic] = Topic.objects.prefetch_related("translations")
        assert topic.name_in(("be",)) == "Бяспека"
        assert topic.text(("ka",)) is None
        assert topic.name_in(("ka",)) == "Security"


def test_a_missing_name_comes_from_the_same_sign_up_choice(weekly: Newsletter) -> None:
    """Belarusian takes it from Russian, the other language of its choice, before English."""
    weekly.translations.filter(language="be").delete()
    weekly.translations.filter(language="ru").update(sender_name="Редакция")
    assert weekly.name_in("be") == weekly.name_in("ru") == "Неделя в фокусе"
    assert weekly.sender_name_in("be") == "Редакция"
    assert weekly.sender_name_in("en") == weekly.name_in("en") == "Week in View"
    with translation.override("be"):
        assert str(weekly) == "Неделя в фокусе"
    NewsletterTranslation.objects.all().delete()
    assert weekly.name_in("be") == weekly.sender_name_in("be") == "weekly"


def test_a_newsroom_needs_no_name(newsroom: Newsroom) -> None:
    with translation.override("be"):
        assert str(newsroom) == "Тыдзень у фокусе"
        newsroom.translations.all().delete()
        assert str(newsroom) != ""
