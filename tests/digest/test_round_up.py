"""The monthly round-up: the articles of a month's issues in one mail."""

from __future__ import annotations

import re
from datetime import date

import pytest

from newsletter.digest.assemble import MAX_LEADS, assemble
from newsletter.digest.content import Issue
from newsletter.digest.dates import month_name, weekday_name
from newsletter.digest.discreet import neutral_issue
from newsletter.digest.render import LARGE_EMAIL_BYTES
from tests.digest.cast import (
    PICTURE,
    SECURITY,
    SITE,
    TODAY,
    edition,
    options,
    write_article,
    write_issue,
    write_text,
)

LAST_WEEK = (date(2017, 7, 24), date(2017, 7, 30))
WEEK_BEFORE = (date(2017, 7, 17), date(2017, 7, 23))


def write_month(*articles: object, **fields: object) -> Issue:
    """July 2017."""
    return write_issue(
        *articles,  # type: ignore[arg-type]
        **{
            "starts_on": date(2017, 7, 1),
            "ends_on": date(2017, 7, 31),
            "urls": {},
            "period": "month",
            **fields,
        },
    )


def july() -> Issue:
    return write_month(
        write_article(
            1, "en", "be", "ru", week=LAST_WEEK, topic=SECURITY, status="improved", picture=PICTURE
        ),
        write_article(2, "ru", week=LAST_WEEK),
        write_article(3, "en", "be", week=WEEK_BEFORE),
    )


@pytest.mark.parametrize(
    ("language", "subject"),
    [
        ("en", "July 2017: The ferry is back 1"),
        ("be", "Ліпень 2017: Паром вярнуўся 1"),
        ("ru", "Июль 2017: Паром вернулся 1"),
    ],
)
def test_the_subject_is_the_month_and_the_top_headline(language: str, subject: str) -> None:
    mail = edition(july(), language)
    assert mail.subject == subject
    assert 40 <= len(mail.preheader) <= 130  # A14
    assert f"{language.capitalize()}" not in mail.preheader
    assert subject.partition(": ")[2] + " ·" not in mail.preheader  # it says something new


def test_a12_each_article_names_its_week_in_both_forms() -> None:
    mail = edition(july(), "en")
    for form in (mail.html, mail.text):
        # Not the year's: the sample's today is another one, so it is named.
        assert form.count("July 24 – July 30, 2017") == 1
        assert form.count("July 17 – July 23, 2017") == 1
        assert "July 2017" in form
        assert "2 articles" in form
        assert "Also this month:" not in form
        assert "in this issue" not in form
        assert "Also this month, in Russian:" in " ".join(form.split())
        assert form.index("The ferry is back 1") < form.index("The ferry is back 3")
    assert re.search(r"July 24 – July 30, 2017.*·.*Road safety.*·.*improved", mail.text)


def test_an_issue_names_no_week_above_its_articles() -> None:
    mail = edition(write_issue(write_article(1, "en")), "en")
    assert mail.text.count("July 24 – July 30, 2017") == 1


def test_it_holds_leads_and_no_pictures_whatever_was_chosen() -> None:
    mail = edition(july(), "en", length="complete", pictures="embedded")
    assert "The ferry is back 1: lead" in mail.text
    assert "The ferry is back 1: text." not in mail.text
    assert f"{SITE}/en/articles/1/" in mail.html
    assert mail.images == ()
    assert "<img" not in mail.html


def test_who_asks_for_complete_texts_shares_the_edition() -> None:
    keys = {
        assemble(july(), options("en", length=length, pictures=pictures)).key  # type: ignore[union-attr]
        for length in ("lead", "complete")
        for pictures in ("none", "embedded")
    }
    assert len(keys) == 1


def test_a11_of_many_articles_the_last_are_headlines_alone() -> None:
    lead = "Тэндэнцыі апошняга тыдня: " + "слова " * 62
    articles = [
        write_article(number, week=LAST_WEEK, topic=SECURITY, status="worsened")
        for number in range(40)
    ]
    for number, article in enumerate(articles):
        article.texts["be"] = write_text("be", number=number, lead=lead)  # type: ignore[index]
    mail = edition(write_month(*articles), "be")
    assert mail.text.count("Тэндэнцыі апошняга тыдня") == MAX_LEADS
    for form in (mail.html, mail.text):
        assert all(f"{SITE}/be/articles/{number}/" in form for number in range(40))  # A12
        assert "Таксама ў гэтым месяцы:" in form
    assert len(mail.html.encode()) < LARGE_EMAIL_BYTES


def test_in_none_of_the_languages_there_is_nothing() -> None:
    assert assemble(july(), options("ka", page_language="en")) is None


def test_a_discreet_one_says_the_month_and_holds_the_texts() -> None:
    neutral = neutral_issue(
        july(), name="Notes", view_url=f"{SITE}/view/x/", languages=("be",), today=TODAY
    )
    mail = edition(neutral, "be", length="complete", discreet=True, pictures="none")
    assert mail.subject == "Notes, Ліпень 2017"
    assert mail.preheader == "Тут тое, што вы прасілі дасылаць вам кожны месяц: Ліпень 2017."
    assert "Паром вярнуўся 3: text." in mail.text


@pytest.mark.parametrize(
    ("language", "name"),
    [
        ("en", "July 2017"),
        ("be", "Ліпень 2017"),
        ("ru", "Июль 2017"),
        ("ka", "ივლისი 2017"),
        ("tlh", "July 2017"),
    ],
)
def test_f3_a_month_by_itself(language: str, name: str) -> None:
    assert month_name(date(2017, 7, 31), language) == name


def test_f4_a_weekday_within_a_sentence() -> None:
    assert [weekday_name(0, code) for code in ("en", "be", "ru")] == [
        "Monday",
        "панядзелак",
        "понедельник",
    ]
