"""A word is found however it is written (H5)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.editorial.search.words import MAX_LENGTH, words


@pytest.mark.parametrize(
    ("spellings", "word"),
    [
        (("савет", "Савет", "САВЕТ"), "савет"),
        (("сям'я", "сям’я", "сямʼя", "сям‘я", "сям`я", "сям´я", "сям＇я", "сямя"), "сямя"),
        (("елка", "ёлка", "ЁЛКА", "е\u0308лка"), "елка"),
        (("Ідэя", "ідэя", "ІДЭЯ"), "ідэя"),
        (("улада", "ўлада", "Ўлада", "у\u0306лада"), "улада"),
        (("воўк", "ВОЎК", "воу\u0306к"), "воўк"),
        (("край", "краи\u0306"), "край"),
        (("замак", "за́мак", "замак\u0301"), "замак"),
        (("свабода", "сва\u00adбода", "сва\u200bбода", "\ufeffсвабода"), "свабода"),
        (("сітуацыя", "сiтуацыя"), "сітуацыя"),  # the second i is Latin
        (("belarus", "Bеlarus", "BELARUS"), "belarus"),  # the second e is Cyrillic
        (("fin", "ﬁn"), "fin"),
        (("lodz", "Łódź"), "lodz"),
        (("bialystok", "Białystok"), "bialystok"),
        (("strasse", "Straße", "STRASSE"), "strasse"),
        (("2017", "۲۰۱۷", "２０１７"), "2017"),
    ],
)
def test_spellings_of_a_word_are_the_same(spellings: tuple[str, ...], word: str) -> None:
    assert {spelling: words(spelling) for spelling in spellings} == {
        spelling: [word] for spelling in spellings
    }


@pytest.mark.parametrize(
    ("one", "other"),
    [("мой", "мои"), ("воўк", "воук"), ("гарод", "город"), ("сіла", "сила"), ("кот", "код")],
)
def test_different_words_stay_apart(one: str, other: str) -> None:
    assert words(one) != words(other)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Беларусь–ЕС: што далей?", ["беларусь", "ес", "што", "далей"]),
        ("грамадска-палітычны", ["грамадска", "палітычны"]),
        ("Belarus's “vote”, 20 000", ["belaruss", "vote", "20", "000"]),
        ("foo_bar\nbaz\u00a0qux\u2028x", ["foo", "bar", "baz", "qux", "x"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("«…» — ' \" * :", []),
        ("", []),
    ],
)
def test_anything_but_letters_and_digits_separates_words(text: str, found: list[str]) -> None:
    assert words(text) == found


@given(st.text())
def test_folding_any_text_gives_words_without_separators_and_again_gives_the_same(
    text: str,
) -> None:
    found = words(text)
    assert all(0 < len(word) <= MAX_LENGTH and word.split() == [word] for word in found)
    assert words(" ".join(found)) == found
