"""Transactional emails: a heading, paragraphs, a button, and a footer."""

from __future__ import annotations

from typing import Any

import pytest

from newsletter.digest.content import RenderedEmail, RenderError
from newsletter.digest.transactional import render_transactional
from newsletter.lib.placeholders import Placeholder
from tests.digest.cast import NEWSLETTER
from tests.digest.html import EmailHtml, computed


def confirmation(**changes: Any) -> RenderedEmail:
    values: dict[str, Any] = {
        "language": "be",
        "subject": "Пацвердзіце падпіску",
        "heading": "Засталося адно націсканне",
        "paragraphs": ["Нехта папрасіў дасылаць «Тыдзень ля ракі».", "Калі не вы, выдаліце ліст."],
        "button": ("Пацвердзіць", Placeholder.CONFIRM.url),
        "foot": [f"Адпісацца: {Placeholder.UNSUBSCRIBE.url}"],
        **changes,
    }
    return render_transactional(NEWSLETTER, **values)


def test_html_and_text_have_the_same_content() -> None:
    """A12"""
    rendered = confirmation()
    email = EmailHtml(rendered.html)
    assert [e.text for e in email.all("h1")] == ["Засталося адно націсканне"]
    text = " ".join(rendered.text.split())
    for element in email.all("p", "h1"):
        assert " ".join(element.text.split()) in text
    assert set(email.links()) == {Placeholder.CONFIRM.url, Placeholder.UNSUBSCRIBE.url}
    assert all(link in rendered.text for link in email.links())
    assert "вул. Лодак, 1" in rendered.text


def test_a_transactional_email_meets_the_standards() -> None:
    """A10, A13, A14"""
    rendered = confirmation()
    email = EmailHtml(rendered.html)
    assert email.all("html")[0].attributes["lang"] == "be"
    assert all(t.attributes.get("role") == "presentation" for t in email.all("table"))
    assert email.all("script", "form", "link", "img") == []
    assert 40 <= len(rendered.preheader) <= 130
    for element in email.all("p", "a", "h1"):
        if element.text.strip():
            assert float(computed(element, "font-size").removesuffix("px")) >= 14
    for link in email.all("a"):
        assert link.styles[-1].get("text-decoration", "underline") == "underline"


def test_the_button_and_the_footer_are_optional() -> None:
    rendered = confirmation(button=None, foot=[])
    assert EmailHtml(rendered.html).links() == []
    assert "http" not in rendered.text


def test_texts_are_escaped() -> None:
    hostile = "<script>alert(1)</script> & more"
    rendered = confirmation(heading="<b>x</b>", paragraphs=[hostile], foot=["<i>"])
    assert EmailHtml(rendered.html).all("script", "b", "i") == []
    assert hostile in rendered.text


def test_a_subject_with_a_line_break_is_refused() -> None:
    """A2"""
    with pytest.raises(RenderError):
        confirmation(subject="Пацвердзіце\r\nBcc: x")


def test_a_right_to_left_language_sets_dir() -> None:
    """F5"""
    (html,) = EmailHtml(confirmation(language="ar").html).all("html")
    assert (html.attributes["lang"], html.attributes["dir"]) == ("ar", "rtl")
