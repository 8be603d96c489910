"""The monthly round-up: the articles of a month's issues in one email."""

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
    edition_options,
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


def write_july() -> Issue:
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
    email = edition(write_july(), language)
    assert email.subject == subject
    assert 40 <= len(email.preheader) <= 130  # A14
    assert f"{language.capitalize()}" not in email.preheader
    assert subject.partition(": ")[2] + " ·" not in email.preheader  # not only the subject again


def test_a12_each_article_names_its_week_in_html_and_text() -> None:
    email = edition(write_july(), "en")
    for part in (email.html, email.text):
        # The tests' current year is another one, so the year is named.
        assert part.count("July 24 – July 30, 2017") == 1
        assert part.count("July 17 – July 23, 2017") == 1
        assert "July 2017" in part
        assert "2 articles" in part
        assert "Also this month:" not in part
        assert "in this issue" not in part
        assert "Also this month, in Russian:" in " ".join(part.split())
        assert part.index("The ferry is back 1") < part.index("The ferry is back 3")
    assert re.search(r"July 24 – July 30, 2017.*·.*Road safety.*·.*improved", email.text)


def test_articles_of_an_issue_do_not_repeat_its_week() -> None:
    email = edition(write_issue(write_article(1, "en")), "en")
    assert email.text.count("July 24 – July 30, 2017") == 1


def test_a_round_up_has_leads_without_pictures_whatever_readers_chose() -> None:
    email = edition(write_july(), "en", length="full", pictures="embedded")
    assert "The ferry is back 1: lead" in email.text
    assert "The ferry is back 1: text." not in email.text
    assert f"{SITE}/en/articles/1/" in email.html
    assert email.images == ()
    assert "<img" not in email.html


def test_readers_of_full_texts_share_the_round_up_of_leads() -> None:
    keys = {
        assemble(write_july(), edition_options("en", length=length, pictures=pictures)).key  # type: ignore[union-attr]
        for length in ("lead", "full")
        for pictures in ("none", "embedded")
    }
    assert len(keys) == 1


def test_a11_a_long_round_up_ends_with_headlines_only() -> None:
    lead = "Тэндэнцыі апошняга тыдня: " + "слова " * 62
    articles = [
        write_article(number, week=LAST_WEEK, topic=SECURITY, status="worsened")
        for number in range(40)
    ]
    for number, article in enumerate(articles):
        article.texts["be"] = write_text("be", number=number, lead=lead)  # type: ignore[index]
    email = edition(write_month(*articles), "be")
    assert email.text.count("Тэндэнцыі апошняга тыдня") == MAX_LEADS
    for part in (email.html, email.text):
        assert all(f"{SITE}/be/articles/{number}/" in part for number in range(40))  # A12
        assert "Таксама ў гэтым месяцы:" in part
    assert len(email.html.encode()) < LARGE_EMAIL_BYTES


def test_without_a_readable_article_there_is_no_round_up() -> None:
    assert assemble(write_july(), edition_options("ka", page_language="en")) is None


def test_a_discreet_round_up_names_the_month_and_has_full_texts() -> None:
    neutral = neutral_issue(
        write_july(), name="Notes", view_url=f"{SITE}/view/x/", languages=("be",), today=TODAY
    )
    email = edition(neutral, "be", length="full", discreet=True, pictures="none")
    assert email.subject == "Notes, Ліпень 2017"
    visible = email.preheader.replace(" \u034f", "")
    assert visible == "Ваш штомесячны выпуск: Ліпень 2017."
    assert len(email.preheader) > 128, "email apps would continue with the first headline"
    assert "Паром вярнуўся 3: text." in email.text


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
def test_f3_a_month_starts_with_a_capital_where_the_language_has_them(
    language: str, name: str
) -> None:
    assert month_name(date(2017, 7, 31), language) == name


def test_f4_a_weekday_is_written_as_within_a_sentence() -> None:
    assert [weekday_name(0, code) for code in ("en", "be", "ru")] == [
        "Monday",
        "панядзелак",
        "понедельник",
    ]
