"""What somebody types: all words, the last one as a beginning, and no character that is special."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.editorial.search.documents import (
    MAX_BYTES,
    Document,
    lexemes,
    text_of,
)
from newsletter.editorial.search.query import MAX_WORDS, parse


def test_a_query_for_each_database() -> None:
    query = parse("Савета ты")
    assert query.for_fts5() == '("савета" OR "савет") AND ("ты"*)'
    assert query.for_tsquery() == "('савета' | 'савет') & ('ты':*)"
    assert parse("ты").in_headline().for_fts5() == '("^ты"*)'
    assert parse("ты").in_lead().for_tsquery() == "('+ты':*)"


@pytest.mark.parametrize(
    ("text", "finds"),
    [
        ("савет тыдня", True),
        ("тыдня савет", True),
        ("савет палітвяз", True),
        ("палітвяз савет", False),  # only the last word may be a beginning
        ("савет выбары", False),
        ("с", False),  # one letter isn't a beginning
        ("\"савет\" OR 'тыдня'*", False),  # “OR” is a word like others
    ],
)
def test_all_words_have_to_be_found(text: str, finds: bool) -> None:  # noqa: FBT001
    document = lexemes(Document(body="Савет тыдня: палітвязні", language="be")).split()
    assert parse(text).matches(document) is finds


@pytest.mark.parametrize("text", ["", "  ", '"', "*", "():^-+~", "'", "\x00", "\ud800", "👍"])
def test_a_text_without_letters_and_digits_finds_nothing(text: str) -> None:
    assert not parse(text)
    assert not parse(text).matches({"савет"})


def test_of_a_long_text_only_the_first_words_count() -> None:
    assert len(parse(" ".join(f"слова{n}" for n in range(5000))).terms) == MAX_WORDS
    assert len(parse("а" * 10_000).terms) == 1


@given(st.text(max_size=300))
def test_no_character_reaches_the_database_but_letters_and_digits(text: str) -> None:
    query = parse(text)
    for term in query.terms:
        for form in term.forms:
            assert not set(form) & set("\"'\\*:()&|!<>^+- ")


def test_markup_separates_words_only_where_a_block_ends() -> None:
    html = '<p>Са<strong>вет</strong> &amp; <a href="x">час</a></p><p>слова<sup>1</sup><br>год</p>'
    assert text_of(html).split() == ["Савет", "&", "час", "слова", "1", "год"]
    assert text_of("<ul><li>раз</li><li>два</li></ul><!-- не --><td>a</td><td>b</td>").split() == [
        "раз",
        "два",
        "a",
        "b",
    ]


def test_words_of_headline_and_lead_are_marked() -> None:
    document = Document(headline="Савет", lead="Тыдзень", body="Ёсць", language="")
    assert lexemes(document) == "^савет +савет +тыдзень савет тыдзень есць"


def test_the_lexemes_of_a_huge_text_end_at_a_limit() -> None:
    huge = " ".join(f"слова{n}" for n in range(200_000))
    found = lexemes(Document(headline="Савет", body=huge, language="be"))
    assert MAX_BYTES - 100 < len(found.encode()) <= MAX_BYTES
    assert found.startswith("^савет ")
