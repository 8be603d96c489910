"""A10–A14, F5: standards for the HTML and text of emails."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from newsletter.digest import palette
from newsletter.digest.colours import contrast, readable
from newsletter.digest.content import Article, Branding, Newsletter, RenderedEmail, RenderError
from newsletter.digest.mjml import FragmentMarkers, to_html
from newsletter.lib.placeholders import Placeholder
from tests.digest.cast import (
    NEWSLETTER,
    PICTURE,
    SITE,
    edition,
    write_article,
    write_issue,
    write_rich_issue,
    write_text,
)
from tests.digest.html import EmailHtml, computed

RICH = ("be", "ru")
TEMPLATES = sorted((Path(settings.BASE_DIR) / "templates" / "email").glob("*.mjml"))


@pytest.fixture(params=["lead", "full"])
def rich(request: pytest.FixtureRequest) -> RenderedEmail:
    return edition(write_rich_issue(), *RICH, length=request.param)


def test_language_and_direction_are_marked(rich: RenderedEmail) -> None:
    """A10"""
    email = EmailHtml(rich.html)
    (html,) = email.all("html")
    assert (html.attributes["lang"], html.attributes["dir"]) == ("be", "ltr")
    headlines = {h.text: h.attributes["lang"] for h in email.all("h2")}
    assert headlines["Паром вярнуўся 1"] == "be"
    assert headlines["Паром вернулся 3"] == "ru"
    (unavailable,) = [a for a in email.all("a") if a.text == "The ferry is back 4"]
    assert unavailable.attributes["lang"] == "en"
    (label,) = [e for e in email.all("span") if e.text == "па-руску"]
    assert label.attributes["lang"] == "be"


def test_an_unsubscribe_link_is_near_the_top(rich: RenderedEmail) -> None:
    """A11"""
    links = EmailHtml(rich.html).links()
    assert links.index(Placeholder.UNSUBSCRIBE.url) <= 1
    assert links.count(Placeholder.UNSUBSCRIBE.url) == 2


def test_the_text_has_every_link_headline_and_footer(rich: RenderedEmail) -> None:
    """A12"""
    email = EmailHtml(rich.html)
    for link in email.links():
        assert link in rich.text
    text = " ".join(re.sub(r" \(http[^)]*\)|^\* ", "", rich.text, flags=re.MULTILINE).split())
    for heading in email.all("h1", "h2", "h3", "h4"):
        assert heading.text in text
    for paragraph in email.all("p"):
        for part in re.split(r"\s*(?:·|\xa0)\s*", paragraph.text):
            assert " ".join(part.split()) in text


def test_the_text_is_wrapped_and_has_no_leftovers(rich: RenderedEmail) -> None:
    """A12"""
    for line in rich.text.splitlines():
        assert len(line) <= 76 or "http" in line
        assert line == line.rstrip()
    assert "\n\n\n" not in rich.text
    assert not re.search(r"{[{%]|[%}]}|<[a-z/]|&[a-z]+;|fragment-9b1c6f0e", rich.text)
    assert not re.search(r"{{|{%|fragment-9b1c6f0e", rich.html)


def test_elements_have_the_right_semantics(rich: RenderedEmail) -> None:
    """A13"""
    email = EmailHtml(rich.html)
    assert all(t.attributes.get("role") == "presentation" for t in email.all("table"))
    assert re.findall(r"<table(?![^>]*role=.presentation)", rich.html) == []
    assert all("alt" in image.attributes for image in email.all("img"))
    assert [e.text for e in email.all("h1")] == ["Тыдзень ля ракі"]
    levels = [int(e.tag[1]) for e in email.all("h1", "h2", "h3", "h4", "h5", "h6")]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert [e.text for e in email.all("title")] == [rich.subject]


def test_links_are_underlined_and_text_is_large_enough(rich: RenderedEmail) -> None:
    """A13"""
    email = EmailHtml(rich.html)
    for link in email.all("a"):
        assert link.styles[-1].get("text-decoration", "underline") == "underline"
    for element in email.all("p", "h1", "h2", "h3", "a", "li"):
        if element.text.strip():
            assert float(computed(element, "font-size").removesuffix("px")) >= 14


def test_light_text_has_enough_contrast(rich: RenderedEmail) -> None:
    """A13"""
    for element in EmailHtml(rich.html).all("p", "h1", "h2", "a", "span", "strong"):
        if not element.text.strip():
            continue
        for ground in (palette.light("#8a1c1c").ground, palette.light("#8a1c1c").panel):
            assert contrast(computed(element, "color"), ground) >= 4.5, element.text


@pytest.mark.parametrize("scheme", [palette.light, palette.dark])
@pytest.mark.parametrize("accent", ["#8a1c1c", "#ffe000", "#000000", "#ffffff", "#777777"])
def test_all_colours_have_enough_contrast(scheme: object, accent: str) -> None:
    """A13, in light and in dark, whatever the newsroom's colour."""
    colours = palette.light(accent) if scheme is palette.light else palette.dark(accent)
    for ground in (colours.ground, colours.panel):
        for name in ("ink", "muted", "improved", "unchanged", "worsened", "accent"):
            assert contrast(getattr(colours, name), ground) >= 4.5, name
    assert contrast(colours.on_accent, colours.accent) >= 4.5


@given(
    colour=st.from_regex(r"#[0-9a-f]{6}", fullmatch=True),
    on=st.sampled_from(["#fff8f0", "#111111"]),
)
def test_any_accent_becomes_readable(colour: str, on: str) -> None:
    result = readable(colour, on=on)
    assert contrast(result, on) >= 4.5
    if contrast(colour, on) >= 4.5:
        assert result == colour


def test_contrast_follows_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


def test_every_colour_has_a_dark_counterpart(rich: RenderedEmail) -> None:
    """A13, A14: the media query survived, and covers what has a colour in light."""
    dark = palette.dark(NEWSLETTER.accent)
    query = rich.html[rich.html.index("prefers-color-scheme: dark") :]
    query = query[: query.index("</style>")]
    for name in ("ink", "muted", "improved", "unchanged", "worsened", "accent"):
        assert re.search(rf"\.{name}\b[^}}]*{{\s*color: {getattr(dark, name)} !important", query)
    assert f"background-color: {dark.ground} !important" in query
    assert f"background-color: {dark.panel} !important" in query


def test_html_suits_all_email_apps(rich: RenderedEmail) -> None:
    """A14"""
    email = EmailHtml(rich.html)
    metas = {e.attributes.get("name"): e.attributes.get("content") for e in email.all("meta")}
    assert metas["color-scheme"] == "light dark"
    assert email.all("script", "form", "link", "iframe", "object") == []
    assert "@import" not in rich.html
    assert "url(" not in rich.html
    assert "<!--[if mso | IE]>" in rich.html
    widths = [int(width) for width in re.findall(r'<td style="[^"]*?width:(\d+)px', rich.html)]
    assert widths
    assert max(widths) <= 552, "Outlook adds the padding to a cell's width"


def test_an_email_loads_nothing_from_other_sites() -> None:
    rendered = edition(write_rich_issue(), *RICH, pictures="linked")
    email = EmailHtml(rendered.html)
    loaded = [e.attributes["src"] for e in email.elements if "src" in e.attributes]
    assert all(url.startswith(f"{SITE}/media/") for url in loaded)
    assert not re.search(r"<(?:link|script)|background=", rendered.html)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_templates_use_only_known_mjml_tags(template: Path) -> None:
    """MJML silently drops or passes on unknown tags."""
    known = {
        *("mjml", "mj-head", "mj-body", "mj-title", "mj-preview", "mj-attributes", "mj-all"),
        *("mj-raw", "mj-style", "mj-section", "mj-column", "mj-text", "mj-image", "mj-divider"),
        *("mj-button",),
    }
    tags = set(re.findall(r"</?(mj[a-z-]*)", template.read_text(encoding="utf-8")))
    assert tags <= known
    assert "mj" not in "".join(re.findall(r"<(mj[a-z-]*)", edition(write_rich_issue(), "be").html))


def test_a_malformed_template_is_a_render_error() -> None:
    with pytest.raises(RenderError, match="MJML"):
        to_html("<mjml><mj-body><mj-text></mj-body></mjml>", FragmentMarkers())


def test_typography_survives_in_attributes() -> None:
    """mjml-python would write a no-break space in an attribute as "\\u{a0}"."""
    words = 'Паром\xa0№\u202f1 — «ра\xadка» "x" \\ <b> & c'
    text = write_text("be", words, alt_text=words)
    email = EmailHtml(edition(write_issue(Article(1, {"be": text}, picture=PICTURE)), "be").html)
    assert email.all("img")[0].attributes["alt"] == words
    assert email.all("title")[0].text == words
    assert [e.text for e in email.all("h2")] == [words]
    assert words in [e.attributes.get("aria-label") for e in email.all("div")]


HOSTILE = (
    "</title></style>--><script>alert(1)</script><img src=x onerror=alert(2)>"
    '<b onclick="x()">&</b>{{ 7 }} fragment-0-'
)


def test_scripts_in_content_are_removed() -> None:
    text = write_text("en", lead=HOSTILE, authors=HOSTILE, alt_text=HOSTILE, body=HOSTILE)
    article = Article(1, {"en": replace(text, headline=f"Good {HOSTILE}")}, status="improved")
    named = write_article(2, "be")
    named = replace(named, texts={"be": replace(text, headline=HOSTILE)})
    head = Branding(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    newsletter = replace(NEWSLETTER, branding_by_language={"en": head})
    for length in ("lead", "full"):
        issue = write_issue(article, named)
        rendered = edition(issue, "en", newsletter=newsletter, length=length)
        email = EmailHtml(rendered.html)
        assert email.all("script", "img") == []
        assert not any(name.startswith("on") for e in email.elements for name in e.attributes)


def test_bodies_contain_only_what_suits_an_email() -> None:
    body = (
        '<h2 style="color:red">Run-in</h2><h4>Deeper</h4><p>a<br>b &nbsp; <a href="/x?a=1&amp;b=2">'
        'here</a> <a href="javascript:alert(1)">no</a></p><img src="https://elsewhere.example/1.gif">'
        '<iframe src="https://elsewhere.example"></iframe><form><input></form><ul><li>one</li></ul>'
    )
    rendered = edition(
        write_issue(Article(1, {"en": write_text("en", body=body)})), "en", length="full"
    )
    email = EmailHtml(rendered.html)
    assert [(e.tag, e.text) for e in email.all("h3", "h4", "h5")] == [
        ("h3", "Run-in"),
        ("h5", "Deeper"),
    ]
    assert f"{SITE}/x?a=1&b=2" in email.links()
    assert "elsewhere.example" not in rendered.html
    assert "javascript:" not in rendered.html
    assert email.all("form", "input", "iframe") == []
    assert f"here ({SITE}/x?a=1&b=2)" in rendered.text
    assert "* one" in rendered.text


@pytest.mark.parametrize(
    ("language", "direction", "side"), [("ka", "ltr", "left"), ("ar", "rtl", "right")]
)
def test_another_language_needs_only_data(language: str, direction: str, side: str) -> None:
    """F5"""
    newsletter = Newsletter("w", (language,), {language: Branding("R", "N", "S")}, SITE)
    rendered = edition(write_issue(write_article(1, language)), language, newsletter=newsletter)
    email = EmailHtml(rendered.html)
    (html,) = email.all("html")
    assert (html.attributes["lang"], html.attributes["dir"]) == (language, direction)
    (headline,) = email.all("h2")
    assert headline.attributes["dir"] == direction
    assert computed(headline, "text-align") == side
    assert computed(headline, "direction") == direction


def test_an_article_of_the_other_direction_keeps_its_own() -> None:
    """F5"""
    issue = write_issue(write_article(1, "ar"), write_article(2, "en"))
    headlines = EmailHtml(edition(issue, "ar", "en").html).all("h2")
    assert [(h.attributes["dir"], computed(h, "text-align")) for h in headlines] == [
        ("rtl", "right"),
        ("ltr", "left"),
    ]


def test_screen_readers_skip_the_mark_of_a_status(rich: RenderedEmail) -> None:
    """A13: the words beside ▲ ■ ▼ say the same."""
    spans = EmailHtml(rich.html).all("span")
    hidden = [span.text for span in spans if span.attributes.get("aria-hidden") == "true"]
    assert hidden == ["▲", "▼", "■"]


def test_each_read_more_link_is_labelled_with_its_headline() -> None:
    """A13: links make sense out of context, and the label starts with the visible words."""
    email = EmailHtml(edition(write_rich_issue(), *RICH, length="lead").html)
    labels = [a.attributes["aria-label"] for a in email.all("a") if "aria-label" in a.attributes]
    assert labels == [
        "Чытаць далей: Паром вярнуўся 1",
        "Чытаць далей: Паром вярнуўся 2",
        "Читать дальше: Паром вернулся 3",
    ]
