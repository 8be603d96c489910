"""Slugs made from headlines (F6)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from newsletter.editorial.slugs import MAX_LENGTH, slug_for
from tests.conftest import WriteArticle


@pytest.mark.parametrize(
    ("text", "language", "slug"),
    [
        ("Навіны тыдня", "be", "naviny-tydnia"),
        ("Грамадства і ўлада", "be", "hramadstva-i-ulada"),
        ("Сям’я і з'езд", "be", "siamia-i-zezd"),
        ("Главные новости: ещё раз", "ru", "glavnye-novosti-eshchyo-raz"),
        ("Why “this” week matters – 2017", "en", "why-this-week-matters-2017"),
        ("Łódź, Ærø, straße", "pl", "lodz-aero-strasse"),
        ("Новини тижня її", "uk", "novyny-tyzhnya-yiyi"),
        ("სიახლეები", "ka", "siakhleebi"),
        ("أخبار الأسبوع", "ar", "akhbar-alasbwa"),
        ("Νέα της εβδομάδας", "el", "nea-tis-evdomadas"),
    ],
)
def test_each_language_is_transliterated_by_its_own_rules(
    text: str, language: str, slug: str
) -> None:
    assert slug_for(text, language) == slug


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Belarus–West relations", "belarus-west-relations"),
        ("Беларусь—Захад", "belarus-zakhad"),
        *((f"one{sign}two", "one-two") for sign in '-‐‑‒–—―⸺/\\|_«»“”„"‹›\u00a0\u2009\u3000·…'),
        ("«Савет» і “улада”", "savet-i-ulada"),
        ("'Quoted' words and ’90s ‘more’", "quoted-words-and-90s-more"),
        ("Сям'я, сям’я, сямʼя, сям`я", "siamia-siamia-siamia-siamia"),
        ("O’Neill’s d'Arc", "oneills-darc"),
        ("−5 %", "minus-5"),
        ("Рост –0,7 % и -3", "rost-minus-0-7-i-minus-3"),
        ("(−5)", "minus-5"),
        ("2017–2018, 10 –15, 5-7, COVID-19", "2017-2018-10-15-5-7-covid-19"),
        ("+5 °C", "plus-5-c"),
        ("C++", "c-plus-plus"),
        ("10 000 people", "10000-people"),
        ("1\u00a0234\u202f567", "1234567"),
        ("В 2020 100 человек", "v-2020-100-chelovek"),
        ("½", "1-2"),
        ("5½ years", "5-1-2-years"),
        ("10⁶ is not 106", "10-6-is-not-106"),
        ("CO₂ and Ⅳ", "co2-and-iv"),
        ("№5, ①", "no-5-1"),
        ("٣ ३", "3-3"),
        ("Brand™ & Co.", "brand-co"),
        ("вы\u00adбары", "vybary"),
        ("Выборы", "vybory"),
        ("Выборы 2020", "vybory-2020"),
    ],
)
def test_signs_separate_words_and_numbers_keep_theirs(text: str, slug: str) -> None:
    assert slug_for(text, "be") == slug


@pytest.mark.parametrize("text", ["…", "一周新闻"])
def test_a_text_without_known_letters_gets_a_stable_hash(text: str) -> None:
    assert slug_for(text, "zh-hans").startswith("article-")
    assert slug_for(text, "zh-hans") == slug_for(text, "zh-hans")
    assert slug_for(text, "zh-hans") != slug_for(text + "!", "zh-hans")


def test_a_long_headline_is_cut_between_words() -> None:
    slug = slug_for("word " * 60, "en")
    assert len(slug) <= MAX_LENGTH
    assert set(slug.split("-")) == {"word"}


def test_a_slug_that_is_taken_gets_a_number(write_article: WriteArticle) -> None:
    slugs = []
    for state in ("draft", "ready", "draft"):
        article = write_article(ru="Другое")
        text = article.translations.create(language="en", headline="Week in view", state=state)
        slugs.append(text.slug)
    assert slugs == ["week-in-view", "week-in-view-2", "week-in-view-3"]


def test_a_public_slug_does_not_change(write_article: WriteArticle) -> None:
    text = write_article(en="First headline").translations.get()
    old = text.slug
    text.headline, text.slug = "Second headline", "second"
    text.save()
    assert text.slug == old


def test_a_slug_may_change_until_it_is_public(write_article: WriteArticle) -> None:
    later = datetime(2100, 1, 1, tzinfo=UTC)
    text = write_article(en="First headline", published_at=later).translations.get()
    text.slug = "second"
    text.save()
    assert text.slug == "second"
