"""Characters and paragraphs of imported texts (H1, H2)."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from newsletter.editorial.importing import DocumentError, import_document
from newsletter.editorial.importing.rich_text import with_paragraphs
from newsletter.editorial.models import ArticleTranslation, Newsletter
from tests.editorial.test_importing import DOCUMENT
from tests.lib.odd_characters import KEPT, REFUSED, SURROGATE

IN_ISSUES = ("issues", 1, "articles", 0)
TEXTS = [
    ("newsroom", "name", "en"),
    ("newsroom", "about", "en"),
    ("newsroom", "postal_address"),
    ("newsroom", "follow_links", 0, "label"),
    ("newsletter", "slug"),
    ("newsletter", "sender_address"),
    ("newsletter", "promise", "en"),
    ("newsletter", "footer", "en"),
    ("newsletter", "choices", 0, "label"),
    ("categories", 0, "name", "en"),
    ("issues", 1, "texts", "be", "subject"),
    ("issues", 1, "texts", "be", "introduction"),
    (*IN_ISSUES, "id"),
    (*IN_ISSUES, "image_credit"),
    (*IN_ISSUES, "authors", "be"),
    (*IN_ISSUES, "translations", "be", "headline"),
    (*IN_ISSUES, "translations", "be", "lead"),
    (*IN_ISSUES, "translations", "be", "body"),
    (*IN_ISSUES, "translations", "be", "correction"),
    (*IN_ISSUES, "translations", "be", "slug"),
]


def document_with(path: tuple[Any, ...], text: str) -> dict[str, Any]:
    document = copy.deepcopy(DOCUMENT)
    document["newsroom"] = {
        "name": {},
        "about": {},
        "follow_links": [{"label": "x", "url": "https://t.example/x"}],
    }
    document["newsletter"] |= {"promise": {}, "footer": {}}
    document["issues"][1]["texts"] = {"be": {}}
    document["issues"][1]["articles"][0]["authors"] = {}
    holder: Any = document
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = text
    return document


@pytest.mark.django_db
@pytest.mark.parametrize("path", TEXTS, ids=lambda path: ".".join(map(str, path)))
def test_each_character_is_refused_with_its_place_or_left_out(
    path: tuple[Any, ...], tmp_path: Path
) -> None:
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)[1:]
    for character in (*REFUSED, SURROGATE):
        with pytest.raises(DocumentError) as error:
            import_document(document_with(path, f"ab{character}c"), base=tmp_path)
        messages = [str(problem) for problem in error.value.problems]
        named = f"{place}: Remove U+{ord(character):04X} ("
        assert any(message.startswith(named) for message in messages), messages
    assert not Newsletter.objects.exists()
    plain = "desk@news.example.org" if path[-1] == "sender_address" else "abc"
    for character in KEPT:
        import_document(document_with(path, f"{character}{plain}{character}"), base=tmp_path)
        for model in (ArticleTranslation, Newsletter):
            for row in model.objects.values():
                assert character not in str(row)


@pytest.mark.django_db
def test_line_separators_are_spaces_in_a_headline_and_line_breaks_in_a_lead(tmp_path: Path) -> None:
    for field, kept in {"headline": "a b c", "lead": "a\nb\nc"}.items():
        path = (*IN_ISSUES, "translations", "be", field)
        import_document(document_with(path, "a\u2028b\r\nc"), base=tmp_path)
        found = ArticleTranslation.objects.filter(**{field: kept, "language": "be"})
        assert found.exists()


@pytest.mark.django_db
def test_texts_that_are_too_long_are_refused_at_their_place(tmp_path: Path) -> None:
    path = (*IN_ISSUES, "translations", "be")
    document = document_with((*path, "body"), "ж" * 5_000_000)
    document["issues"][1]["articles"][0]["translations"]["be"]["headline"] = "ж" * 100_000
    with pytest.raises(DocumentError) as error:
        import_document(document, base=tmp_path)
    assert [str(problem) for problem in error.value.problems] == [
        f"issues[1].articles[0].translations.be.{name}: is longer than {most} characters."
        " Shorten it."
        for name, most in {"headline": 250, "body": 1_000_000}.items()
    ]


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("one\n\ntwo\n \nthree", "<p>one</p><p>two</p><p>three</p>"),
        ("one\r\n\r\ntwo\r\nlines", "<p>one</p><p>two<br>lines</p>"),
        ("a < b & c &amp; d", "<p>a &lt; b &amp; c &amp; d</p>"),
        ("<b>Bold</b> one\n\ntwo\nlines", "<p><b>Bold</b> one</p><p>two\nlines</p>"),
        ("<p>one\n\ntwo</p>", "<p>one\n\ntwo</p>"),
        ("", ""),
    ],
)
def test_blank_lines_separate_the_paragraphs_of_a_plain_text(text: str, html: str) -> None:
    assert with_paragraphs(text) == html
