"""Faults of words are found in three languages, and sound texts are left alone (I3)."""

from __future__ import annotations

import pytest

from newsletter.lib.writing import words

SOUND = {
    "en": (
        "The council adopted its budget after a long dispute. That had had no effect in 2016, "
        "said the CEO of the XXX Congress; see the to-do list at TKTeam."
    ),
    "be": (
        "Савет прыняў бюджэт пасля доўгай спрэчкі. Амаль-амаль, сказалі ў TUT.BY, і далёка далёка "
        "ад Мінска гэта нічога не змяніла. Кадр: 4esnok.by, COVID-19, IT-кампаніі."
    ),
    "ru": (
        "Совет принял бюджет после долгого спора. Много много раз об этом писали в ТК РФ, XXX "
        "съезд и ещё COVID-19, а также IT-компании и e-mail."
    ),
}


@pytest.mark.parametrize("language", SOUND)
def test_a_sound_text_raises_no_alarm(language: str) -> None:
    text = SOUND[language]
    assert words.placeholders(text) == []
    assert words.mixed_words(text) == []
    assert words.disguised_words(text, language) == []
    assert words.doubled_words(text) == []
    assert words.other_language(text, language) == ""


@pytest.mark.parametrize(
    "text", ["The figure is TK.", "Лічба: TODO", "Цифра TKTK тут", "Lorem ipsum x"]
)
def test_a_placeholder_is_found(text: str) -> None:
    assert len(words.placeholders(text)) == 1


@pytest.mark.parametrize("text", ["todo lo que", "a TKO in round 3", "stk"])
def test_words_that_contain_a_placeholder_are_none(text: str) -> None:
    assert words.placeholders(text) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The sсhool is closed", "sсhool"),
        ("Новая сiтуацыя ў Мінску", "сiтуацыя"),
        ("Новая cитуация в Минске", "cитуация"),
    ],
)
def test_letters_of_two_alphabets_in_one_word_are_found(text: str, found: str) -> None:
    assert words.mixed_words(text) == [found]


@pytest.mark.parametrize(("language", "text"), [("be", "Вялікі xop спяваў"), ("ru", "Новый opoc")])
def test_a_latin_word_that_looks_cyrillic_is_found(language: str, text: str) -> None:
    assert len(words.disguised_words(text, language)) == 1
    assert words.disguised_words(text, "en") == []


@pytest.mark.parametrize(
    ("text", "found"),
    [("It was the the end", "the"), ("Гэта быў быў канец", "быў"), ("Это был был конец", "был")],
)
def test_a_word_that_stands_twice_is_found(text: str, found: str) -> None:
    assert words.doubled_words(text) == [found]


@pytest.mark.parametrize(
    ("language", "text", "other"),
    [
        ("en", "Савет прыняў бюджэт пасля доўгай спрэчкі", "be"),
        ("en", "Совет принял бюджет после долгих споров, и он вырос", "ru"),
        ("be", "The council adopted its budget after a dispute", "en"),
        ("be", "Совет принял бюджет после долгих споров, и он вырос", "ru"),
        ("ru", "Савет прыняў бюджэт пасля доўгай спрэчкі, і ён вырас", "be"),
        ("ru", "Рада ухвалила бюджет після довгих суперечок, і її підтримали всі її члени", "uk"),
    ],
)
def test_a_paragraph_under_the_wrong_tab_is_recognised(
    language: str, text: str, other: str
) -> None:
    assert words.other_language(text, language) == other


@pytest.mark.parametrize("language", ["en", "be", "ru"])
def test_a_few_words_say_nothing_about_the_language(language: str) -> None:
    for text in ("BBC", "Мінск", "Фото: A. B.", "100 %"):
        assert words.other_language(text, language) == ""
