"""The content of an edition: subject, preheader, articles, and what surrounds them."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.digest.content import Article, Credit, IssueText, Picture, RenderError
from newsletter.digest.render import size_warnings
from newsletter.lib.placeholders import Placeholder
from tests.digest.cast import (
    NEWSLETTER,
    PICTURE,
    SITE,
    VIEW_URL,
    edition,
    write_article,
    write_issue,
    write_rich_issue,
    write_text,
)
from tests.digest.html import EmailHtml


# --- Subject and preheader ----------------------------------------------------------------------
def test_the_subject_is_the_top_headline_in_the_first_language() -> None:
    issue = write_issue(write_article(1, "ru"), write_article(2, "be", "ru"))
    assert edition(issue, "be", "ru").subject == "Паром вярнуўся 2"
    assert edition(issue, "ru").subject == "Паром вернулся 1"


def test_an_edition_of_fallbacks_uses_its_top_headline() -> None:
    issue = write_issue(write_article(1, "ru"))
    assert edition(issue, "be", "ru").subject == "Паром вернулся 1"


def test_the_editors_subject_takes_precedence_over_a_headline() -> None:
    texts = {"be": IssueText(subject="Тыдзень пераправы")}
    issue = write_issue(write_article(1, "be", "ru"), texts=texts)
    assert edition(issue, "be", "ru").subject == "Тыдзень пераправы"
    assert edition(issue, "ru", page_language="be").subject == "Тыдзень пераправы"
    assert edition(issue, "ru").subject == "Паром вернулся 1"


@pytest.mark.parametrize("bad", ["One\nBcc: two", "One\r\nTwo", "One\rTwo", "One\x00", "One\u2028"])
def test_a_subject_that_would_break_a_header_is_refused(bad: str) -> None:
    """A2"""
    with pytest.raises(RenderError, match="line break"):
        edition(write_issue(write_article(1, "en"), texts={"en": IssueText(subject=bad)}), "en")
    with pytest.raises(RenderError, match="line break"):
        edition(write_issue(Article(1, {"en": write_text("en", bad)})), "en")


def test_an_email_without_a_subject_is_refused() -> None:
    text = replace(write_text("en"), headline=" ")
    with pytest.raises(RenderError, match="no subject"):
        edition(write_issue(Article(1, {"en": text})), "en")


def test_the_preheader_is_the_editors_or_else_the_lead() -> None:
    article = write_article(1, "be")
    own = "Пра пераправу, якой чакалі два гады, і пра лінію, якой яшчэ няма"
    issue = write_issue(article, texts={"be": IssueText(preheader=own)})
    assert edition(issue, "be").preheader == own
    assert edition(write_issue(article), "be").preheader.startswith(article.texts["be"].lead[:40])


@settings(max_examples=40, deadline=None)
@given(
    leads=st.lists(st.text(alphabet="абв гд.,<&", max_size=200), min_size=1, max_size=4),
    own=st.text(alphabet="эюя ", max_size=200),
)
def test_the_preheader_has_40_to_130_characters(leads: list[str], own: str) -> None:
    """A14"""
    articles = [
        Article(n, {"be": write_text("be", number=n, lead=lead)}) for n, lead in enumerate(leads)
    ]
    rendered = edition(write_issue(*articles, texts={"be": IssueText(preheader=own)}), "be")
    assert 40 <= len(rendered.preheader) <= 130
    (hidden, *_others) = [
        e for e in EmailHtml(rendered.html).all("div") if e.styles[-1].get("display") == "none"
    ]
    assert hidden.text == rendered.preheader


def test_a_discreet_preheader_reveals_nothing_of_the_articles() -> None:
    texts = {"be": IssueText(subject="Notes", preheader="Short.")}
    issue = write_issue(write_article(1, "be"), texts=texts)
    preheader = edition(issue, "be", discreet=True).preheader
    assert preheader.startswith("Short. · 24–30 ліпеня 2017")
    assert "Паром" not in preheader


# --- Articles -----------------------------------------------------------------------------------
def test_a_fallback_is_labelled_in_the_readers_language() -> None:
    rendered = edition(write_rich_issue(), "be", "ru")
    for part in (EmailHtml(rendered.html).visible(), rendered.text):
        assert part.count("па-руску") == 1
        assert "па-беларуску" not in part
    assert "на русском" not in edition(write_rich_issue(), "ru").text


def test_unavailable_articles_are_listed_in_one_line_with_links() -> None:
    rendered = edition(write_rich_issue(), "be", "ru")
    (line,) = [p for p in EmailHtml(rendered.html).all("p") if "Таксама" in p.text]
    assert line.text.strip() == "Таксама на гэтым тыдні, па-англійску: The ferry is back 4"
    assert f"{SITE}/en/articles/4/" in EmailHtml(rendered.html).links()
    assert "Таксама на гэтым тыдні, па-англійску:\n* The ferry is back 4\n" in rendered.text


def test_unavailable_articles_have_a_line_for_each_language() -> None:
    issue = write_issue(
        write_article(1, "be"),
        write_article(2, "en"),
        write_article(3, "ru"),
        write_article(4, "en"),
    )
    lines = [
        p.text.strip() for p in EmailHtml(edition(issue, "be").html).all("p") if "Таксама" in p.text
    ]
    assert lines == [
        "Таксама на гэтым тыдні, па-англійску: The ferry is back 2; The ferry is back 4",
        "Таксама на гэтым тыдні, па-руску: Паром вернулся 3",
    ]


def test_credits_are_labelled_in_the_articles_language() -> None:
    """As on the site: "Фото: 4esnok.by" reads "Photo: 4esnok.by" in English."""
    assert "Photo: 4esnok.example" in edition(write_rich_issue(), "en").text
    belarusian = edition(write_rich_issue(), "be", "ru")
    for part in (EmailHtml(belarusian.html).visible(), belarusian.text):
        assert "Фота: 4esnok.example" in part
        assert "Фото: nad.by" in part, "a credit without a file, beside a Russian article"


@pytest.mark.parametrize(
    ("kind", "label"), [("photo", "Photo"), ("image", "Image"), ("graphic", "Graphic")]
)
def test_a_credit_names_its_kind(kind: str, label: str) -> None:
    credit = Credit(kind, "Desk")  # type: ignore[arg-type]
    issue = write_issue(write_article(1, "en", picture=replace(PICTURE, credit=credit)))
    assert f"{label}: Desk" in edition(issue, "en").text


def test_the_status_is_shown_in_words_and_colour() -> None:
    email = EmailHtml(edition(write_rich_issue(), "be", "ru").html)
    labels = {e.attributes["class"]: e.text for e in email.all("span") if "class" in e.attributes}
    assert labels["improved"] == "▲ сітуацыя палепшылася"
    assert labels["worsened"] == "▼ сітуацыя пагоршылася"
    assert labels["unchanged"] == "■ ситуация не изменилась"


def test_pictures_are_embedded_linked_or_left_out() -> None:
    issue = write_rich_issue()
    embedded = edition(issue, "be", pictures="embedded")
    (image,) = embedded.images
    assert (image.name, image.type) == (PICTURE.name, "image/png")
    assert [i.attributes["src"] for i in EmailHtml(embedded.html).all("img")] == [
        f"cid:{image.cid}"
    ]

    linked = edition(issue, "be", pictures="linked")
    assert linked.images == ()
    assert [i.attributes["src"] for i in EmailHtml(linked.html).all("img")] == [PICTURE.url]

    none = edition(issue, "be", pictures="none")
    assert none.images == ()
    assert "<img" not in none.html
    assert "4esnok.example" not in none.html, "the credit of a picture that is not shown"


def test_the_logo_is_embedded_with_the_pictures() -> None:
    logo = Picture("logo.png", f"{SITE}/media/logo.png", 400, 100, "image/png")
    newsletter = replace(NEWSLETTER, logo=logo)
    rendered = edition(write_rich_issue(), "be", newsletter=newsletter)
    assert [image.name for image in rendered.images] == ["logo.png", PICTURE.name]
    first = EmailHtml(rendered.html).all("img")[0].attributes
    assert (first["alt"], first["width"]) == ("", "176")


def test_articles_have_a_lead_or_the_full_text() -> None:
    issue = write_issue(write_article(1, "be"))
    lead = edition(issue, "be", length="lead")
    assert "Паром вярнуўся 1: text." not in lead.html
    assert "Чытаць далей" in lead.html
    full = edition(issue, "be", length="full")
    assert "Паром вярнуўся 1: text." in full.html
    assert "Паром вярнуўся 1: text." in full.text
    assert "Чытаць далей" not in full.html


def test_without_a_lead_the_start_of_the_text_is_shown() -> None:
    body = f"<h2>Загаловак</h2><p>Першы сказ са <a href='/x'>спасылкай</a>. {'слова ' * 90}</p>"
    rendered = edition(write_issue(Article(1, {"be": write_text("be", lead="", body=body)})), "be")
    assert ">Першы сказ са спасылкай. слова" in rendered.html
    assert "слова…" in rendered.html


def test_authors_are_named() -> None:
    issue = write_issue(Article(1, {"be": write_text("be", authors="Ганна Рачная")}))
    rendered = edition(issue, "be")
    assert "Тэкст: Ганна Рачная" in rendered.html
    assert "Тэкст: Ганна Рачная" in rendered.text


def test_the_branding_surrounds_the_articles() -> None:
    rendered = edition(write_rich_issue(), "be", "ru")
    for part in (EmailHtml(rendered.html).visible(), rendered.text):
        assert "Тыдзень ля ракі" in part
        assert "24–30 ліпеня 2017" in part
        assert "3 артыкулы ў гэтым выпуску" in part
        assert "Уступ са спасылкай" in part
        assert "Бясплатна." in part
        assert "вул. Лодак, 1" in part
    assert rendered.language == "be"
    assert rendered.label == "be, ru (be) · lead · embedded"


def test_placeholders_and_the_web_view_are_linked() -> None:
    rendered = edition(write_rich_issue(), "be")
    links = EmailHtml(rendered.html).links()
    for url in (Placeholder.UNSUBSCRIBE.url, Placeholder.PREFERENCES.url, VIEW_URL):
        assert url in links
        assert url in rendered.text


def test_plain_text_has_no_html_and_no_pictures() -> None:
    rendered = edition(write_rich_issue(), "be", "ru", plain_text=True)
    assert rendered.html == ""
    assert rendered.images == ()
    assert rendered.text.startswith("Тыдзень ля ракі\n24–30 ліпеня 2017 · 3 артыкулы")


def test_the_active_language_does_not_matter() -> None:
    """F4"""
    expected = edition(write_rich_issue(), "be", "ru")
    with translation.override("ru"):
        assert edition(write_rich_issue(), "be", "ru") == expected


def test_a_large_email_has_a_warning() -> None:
    """A11"""
    small = edition(write_rich_issue(), "be", "ru")
    assert size_warnings(small) == []
    body = "<p>" + "слова " * 8000 + "</p>"
    long = write_issue(Article(1, {"be": write_text("be", body=body)}))
    (warning,) = size_warnings(edition(long, "be", length="full"))
    assert "102 KB" in warning


def test_rendering_an_edition_takes_less_than_half_a_second() -> None:
    issue = write_issue(*(write_article(n, "be", topic=None) for n in range(10)))
    edition(issue, "be")
    start = time.perf_counter()
    edition(issue, "be")
    assert time.perf_counter() - start < 0.5


def test_the_introduction_is_in_one_of_the_readers_languages() -> None:
    """As on the site, a text that is missing in the first language comes from the next one."""
    texts = {"ru": IssueText(introduction="<p>Вступление</p>")}
    issue = write_issue(write_article(1, "en", "be", "ru"), texts=texts)
    shown = edition(issue, "be", "ru")
    marked = [each for each in EmailHtml(shown.html).all("div") if "lang" in each.attributes]
    [introduction] = [each for each in marked if each.text == "Вступление"]
    assert introduction.attributes["lang"] == "ru"
    assert "Вступление" in shown.text
    for chain in (("be",), ("en",)):
        assert "Вступление" not in edition(issue, *chain).html + edition(issue, *chain).text
    texts["be"] = IssueText(introduction="<p>Уступ</p>")
    assert "Вступление" not in edition(issue, "be", "ru").html
