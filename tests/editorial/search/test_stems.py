"""Forms of a word find each other, by the endings in the rules of its language (H5)."""

from __future__ import annotations

import pytest

from newsletter.editorial.search.documents import Document, lexemes
from newsletter.editorial.search.query import parse
from newsletter.editorial.search.stems import stems

FORMS = {
    "be": [
        "савет савета савету саветам савеце саветы саветаў саветамі",
        "выбары выбараў выбарам выбарах выбарамі",
        "улада ўлады ўладу ўладай уладзе уладам",
        "беларускі беларуская беларускага беларускай беларускія беларускіх беларускую",
        "тыдзень тыдня тыдню тыдні тыдняў",
        "палітвязень палітвязня палітвязняў палітвязні палітвязням",
        "сітуацыя сітуацыі сітуацыю сітуацыяй",
        "газета газеце газеты газету газет",
        "рэспубліка рэспубліцы рэспублікі рэспубліку",
        "дарога дарозе дарогі дарогу",
        "Беларусь Беларусі Беларуссю",
        "украінец украінца украінцы украінцаў",
        "галасаванне галасавання галасаванні галасаваннем",
        "сям’я сям’і сямʼю сям'ёй",
        "затрымаць затрымалі затрымаў затрымала",
    ],
    "ru": [
        "выборы выборов выборам выборах выборами",
        "партия партии партию партией партий",
        "власть власти властью",
        "российский российская российского российских",
        "неделя недели неделю недель",
        "президент президента президентом президенте",
        "заключённый заключенного заключённых",
        "задержать задержали задержал задержала",
    ],
    "en": [
        "election elections",
        "party parties",
        "vote votes voted voting",
        "ban bans banned banning",
        "church churches",
    ],
}


@pytest.mark.parametrize(
    ("language", "forms"), [(code, line) for code, lines in FORMS.items() for line in lines]
)
def test_each_form_finds_every_other_form(language: str, forms: str) -> None:
    missed = [
        (typed, written)
        for typed in forms.split()
        for written in forms.split()
        # The last word may be a beginning, so a word that is found anyway follows.
        if not parse(f"{typed} zz").matches(
            lexemes(Document(body=f"{written} zz", language=language)).split()
        )
    ]
    assert missed == []


@pytest.mark.parametrize(
    ("typed", "written"),
    [("савет", "свет"), ("дарога", "дар"), ("неделя", "недра"), ("press", "preset")],
)
def test_other_words_are_not_found(typed: str, written: str) -> None:
    document = lexemes(Document(body=f"{written} zz")).split()
    assert not parse(f"{typed} zz").matches(document)


def test_a_stem_keeps_three_letters() -> None:
    assert stems("ява", "be") == frozenset()
    assert stems("явамі", "be") == {"явам"}
    assert stems("зямля", "be") == {"зямл"}


def test_a_language_without_rules_has_no_stems() -> None:
    assert stems("wybory", "pl") == frozenset()
