"""F1: plural forms, and words in the language of what they stand beside."""

from __future__ import annotations

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
def test_plural_forms(n: int, be: str, ru: str) -> None:
    """F1"""
    assert labels.article_count(n, "be") == f"{be} гэтым выпуску"
    assert labels.article_count(n, "ru") == f"{ru} этом выпуске"
    english = "article" if n == 1 else "articles"
    assert labels.article_count(n, "en") == f"{n} {english} in this issue"


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", "Photo: 4esnok.by"), ("be", "Фота: 4esnok.by"), ("ru", "Фото: 4esnok.by")],
)
def test_a_credit_is_labelled_in_its_language_whatever_is_active(
    language: str, expected: str
) -> None:
    with translation.override("ru"):
        assert labels.credit_line(Credit("photo", "4esnok.by"), language) == expected
        assert translation.get_language() == "ru"


@pytest.mark.parametrize("language", ["be", "ru"])
def test_every_word_of_a_mail_is_translated(language: str) -> None:
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


def test_a_language_without_catalogue_gets_english_words() -> None:
    """F5"""
    assert labels.read_more("ka") == "Read more"
    assert labels.language_label("ka", "en") == "in another language (Georgian)"
