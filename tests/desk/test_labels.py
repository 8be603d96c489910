"""Edition labels are in the page's language."""

from __future__ import annotations

import pytest
from django.utils import translation

from newsletter.delivery.models import Edition
from newsletter.desk.labels import LABELS, edition_label


@pytest.mark.parametrize(
    ("language", "label", "shown"),
    [
        ("en", "be, ru (be) · lead · embedded", "be, ru (be) · headline and lead · with pictures"),
        ("be", "be, ru (be) · full · text", "be, ru (be) · поўны тэкст · толькі тэкст"),
        ("ru", "en (ru) · lead · linked", "en (ru) · заголовок и лид · изображения по ссылке"),
        ("ru", "", "be"),
    ],
)
def test_a_label_is_in_the_pages_language(language: str, label: str, shown: str) -> None:
    with translation.override(language):
        assert edition_label(Edition(label=label, language="be")) == shown


@pytest.mark.parametrize("language", ["be", "ru"])
def test_each_label_is_translated(language: str) -> None:
    with translation.override(language):
        assert not [code for code, label in LABELS.items() if str(label).isascii()]
