"""F1: plural forms, and labels in the language of the text beside them."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from newsletter.digest import labels
from newsletter.digest.content import Credit


@pytest.mark.parametrize(
    ("n", "be", "ru"),
    [
        (1, "1 артыкул у", "1 статья в"),
        (2, "2 артыкулы ў", "2 статьи в"),
        (5, "5 артыкулаў у", "5 статей в"),
        (11, "11 артыкулаў у", "11 статей в"),
        (21, "21 артыкул у", "21 статья в"),
        (22, "22 артыкулы ў", "22 статьи в"),
        (111, "111 артыкулаў у", "111 статей в"),
    ],
)
def test_article_counts_have_the_right_plural_form(n: int, be: str, ru: str) -> None:
    """F1"""
    assert labels.article_count(n, "be") == f"{be} гэтым выпуску"
    assert labels.article_count(n, "ru") == f"{ru} этом выпуске"
    english = "article" if n == 1 else "articles"
    assert labels.article_count(n, "en") == f"{n} {english} in this issue"


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", "Photo: 4esnok.by"), ("be", "Фота: 4esnok.by"), ("ru", "Фото: 4esnok.by")],
)
def test_a_credit_has_the_articles_language_whatever_is_active(
    language: str, expected: str
) -> None:
    with translation.override("ru"):
        assert labels.credit_line(Credit("photo", "4esnok.by"), language) == expected
        assert translation.get_language() == "ru"


@pytest.mark.parametrize("language", ["be", "ru"])
def test_every_label_of_an_email_is_translated(language: str) -> None:
    def words(code: str) -> list[str]:
        return [
            *labels.page_labels(code, newsletter="N").values(),
            *(labels.status_label(s, code) for s in ("improved", "unchanged", "worsened")),
            *(labels.credit_line(Credit(k, "N"), code) for k in ("photo", "image", "graphic")),
            *(labels.language_label(each, code) for each in ("en", "be", "ru", "ka")),
            labels.unavailable_label("en", code),
            labels.byline("N", code),
            labels.read_more(code),
        ]

    for english, translated in zip(words("en"), words(language), strict=True):
        assert english != translated


@pytest.mark.parametrize(
    ("article_language", "language", "expected"),
    [
        ("ru", "en", "in Russian"),
        ("ka", "en", "in Georgian"),
        ("ru", "be", "па-руску"),
        ("ru", "ru", "на русском"),
        ("ka", "be", "на іншай мове (грузінская)"),
        ("ar", "ru", "на другом языке (арабский)"),
        ("ru", "ka", "in Russian"),
        ("xx", "en", "in xx"),
    ],
)
def test_any_language_can_be_named_in_any_other(
    article_language: str, language: str, expected: str
) -> None:
    """F5: from the language's rules, or else from CLDR, in one language throughout."""
    assert labels.language_label(article_language, language) == expected


def test_without_a_catalog_labels_are_in_the_sites_default_language(
    settings: Any,
) -> None:
    """F5"""
    assert labels.read_more("ka") == "Read more"
    settings.LANGUAGE_CODE = "be"
    assert labels.language_label("ar", "be") == "на іншай мове (арабская)"
