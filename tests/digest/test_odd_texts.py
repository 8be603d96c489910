"""Whatever editors type or paste reaches readers unchanged, and breaks nothing."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.digest.assemble import assemble
from newsletter.digest.content import Article, Branding, RenderedEmail, RenderError
from newsletter.digest.render import render
from tests.digest.cast import (
    NEWSLETTER,
    PICTURE,
    TODAY,
    VIEW_URL,
    edition,
    edition_options,
    write_article,
    write_issue,
    write_text,
)
from tests.digest.html import EmailHtml

texts = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x00"), max_size=60)


@settings(max_examples=150, deadline=None)
@given(headline=texts, lead=texts, name=texts, alt=texts)
@pytest.mark.slow
def test_texts_reach_readers_as_they_were_typed(
    headline: str, lead: str, name: str, alt: str
) -> None:
    text = write_text("en", f"h{headline}", lead=f"l{lead}", authors=f"a{name}", alt_text=alt)
    odd = Article(2, {"en": text}, picture=PICTURE)
    head = Branding("Room", f"n{name}", "Desk", footer=f"f{lead}")
    issue = write_issue(write_article(1, "en"), odd)
    newsletter = replace(NEWSLETTER, branding_by_language={"en": head})
    email = EmailHtml(edition(issue, "en", newsletter=newsletter).html)

    def plain(value: str) -> str:
        """Collapse spaces and characters that XML doesn't allow into one space."""
        return " ".join(re.sub("[\x00-\x1f\ufffe\uffff]", " ", value).split())

    assert plain(email.all("h2")[1].text) == plain(f"h{headline}")
    assert plain(email.all("h1")[0].text) == plain(f"n{name}")
    assert plain(email.all("img")[0].attributes["alt"]) == plain(alt)
    assert plain(f"l{lead}") in plain(email.visible())


@settings(max_examples=60, deadline=None)
@given(subject=st.text(max_size=40), body=st.text(max_size=200))
def test_every_headline_and_body_is_rendered_or_refused(subject: str, body: str) -> None:
    issue = write_issue(Article(1, {"en": replace(write_text("en", body=body), headline=subject)}))
    try:
        rendered = edition(issue, "en", length="full")
    except RenderError:
        return
    assert rendered.subject == subject.strip()
    assert not set("\r\n") & set(rendered.subject)


LANGUAGES = ["en", "be", "ru"]
chains = st.lists(st.sampled_from(LANGUAGES), min_size=1, unique=True)


@settings(max_examples=60, deadline=None)
@given(
    one=chains,
    other=chains,
    available=st.lists(st.lists(st.sampled_from(LANGUAGES), unique=True), min_size=1, max_size=3),
)
@pytest.mark.slow
def test_selections_with_equal_keys_render_equally(
    one: list[str], other: list[str], available: list[list[str]]
) -> None:
    """Readers who share an edition get what they would have got separately."""
    issue = write_issue(*(write_article(n, *each) for n, each in enumerate(available)))
    selections = [
        assemble(issue, edition_options(*chain, page_language="be", topics=topics))
        for chain in (one, other)
        for topics in (None, frozenset({1}))
    ]
    rendered_by_key: dict[str, RenderedEmail] = {}
    for selection in filter(None, selections):
        rendered = render(NEWSLETTER, issue, selection, view_url=VIEW_URL, today=TODAY)
        assert rendered_by_key.setdefault(selection.key, rendered) == rendered
