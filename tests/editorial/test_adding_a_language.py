"""F5: Georgian and Arabic need only data, from the article to the email and the page."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.test import Client

from newsletter.digest.assemble import assemble
from newsletter.digest.content import Credit, EditionOptions, Picture, RenderedEmail
from newsletter.digest.labels import credit_line
from newsletter.digest.render import render
from newsletter.editorial.content import issue_content, newsletter_content
from newsletter.editorial.models import (
    Article,
    ArticleTranslation,
    Issue,
    Newsletter,
    NewsletterTranslation,
    Topic,
    TopicTranslation,
    Trend,
)
from newsletter.lib.language_rules import FOLDER, rules_for
from tests.digest.html import EmailHtml

AT = datetime(2017, 8, 2, tzinfo=UTC)
HEADLINES = {"ka": "ბორანი დაბრუნდა", "ar": "عودة العبّارة"}
SLUGS = {"ka": "borani-dabrunda", "ar": "awda-alabara"}
WEEKS = {"ka": "24–30 ივლისი, 2017", "ar": "24–30 يوليو 2017"}
DIRECTIONS = {"ka": "ltr", "ar": "rtl"}


@pytest.fixture
def article(weekly: Newsletter, issue: Issue, security: Topic) -> Article:
    """An article in Georgian and Arabic, in an approved issue of a newsletter that has both."""
    weekly.languages = ["en", "ka", "ar"]
    weekly.choices = [{"label": code.upper(), "languages": [code]} for code in ("en", "ka", "ar")]
    weekly.full_clean()
    weekly.save()
    Issue.objects.update(state=Issue.State.APPROVED)
    Trend.objects.create(topic=security, week=issue.starts_on, status="improved")
    article = Article.objects.create(
        newsletter=weekly,
        issue=issue,
        topic=security,
        published_at=datetime(2017, 8, 1, tzinfo=UTC),
        original_language="ka",
    )
    for code, headline in HEADLINES.items():
        NewsletterTranslation.objects.create(newsletter=weekly, language=code, name=f"N-{code}")
        TopicTranslation.objects.create(topic=security, language=code, name=f"T-{code}")
        ArticleTranslation.objects.create(
            article=article, language=code, headline=headline, lead="…", state="ready"
        )
    return article


def render_edition(issue: Issue, *chain: str) -> RenderedEmail:
    content = issue_content(issue, at=AT)
    selection = assemble(content, EditionOptions(chain=chain, page_language=chain[0]))
    assert selection is not None
    return render(
        newsletter_content(issue.newsletter),
        content,
        selection,
        view_url="https://news.example.org/view/x/",
        today=date(2026, 11, 21),
    )


def test_neither_language_has_rules_of_its_own() -> None:
    """Otherwise this file would not show that a language works without them."""
    assert {path.stem for path in FOLDER.glob("*.toml")}.isdisjoint(HEADLINES)
    assert rules_for("ka") == rules_for("ar") == rules_for("xx")


@pytest.mark.parametrize("language", HEADLINES)
def test_slugs_are_transliterated(article: Article, language: str) -> None:
    """F6"""
    assert article.translations.get(language=language).slug == SLUGS[language]


@pytest.mark.parametrize("language", HEADLINES)
def test_an_edition_has_the_languages_direction_and_dates(
    article: Article, issue: Issue, language: str
) -> None:
    issue.refresh_from_db()
    email = render_edition(issue, language)
    elements = EmailHtml(email.html).all("html", "h2")
    assert len(elements) == 2
    for element in elements:
        assert element.attributes["lang"] == language
        assert element.attributes["dir"] == DIRECTIONS[language]
    assert email.subject == HEADLINES[language]
    for part in (email.html, email.text):
        assert HEADLINES[language] in part
        assert WEEKS[language] in part
        assert f"N-{language}" in part
        assert f"T-{language}" in part
        assert SLUGS[language] in part
        # There is no catalog, so labels are in the site's default language.
        assert "Read more" in part
        assert "the situation has improved" in part
        assert "1 article in this issue" in part
        assert "Unsubscribe" in part


def test_a_fallback_is_labelled_with_the_name_of_its_language(
    article: Article, issue: Issue
) -> None:
    article.translations.filter(language="ka").delete()
    issue.refresh_from_db()
    georgian, english = render_edition(issue, "ka", "ar"), render_edition(issue, "en", "ar")
    for email in (georgian, english):
        assert "(in Arabic)" in email.text
    [headline] = EmailHtml(georgian.html).all("h2")
    assert (headline.attributes["lang"], headline.attributes["dir"]) == ("ar", "rtl")
    assert "на іншай мове (арабская)" in render_edition(issue, "be", "ar").text


def test_a_credit_has_the_default_languages_label() -> None:
    picture = Picture("", "", 0, 0, "", Credit("photo", "ფოტო"))
    assert picture.credit
    assert credit_line(picture.credit, "ka") == "Photo: ფოტო"


@pytest.mark.parametrize("language", HEADLINES)
def test_without_pages_in_the_language_articles_have_the_default_prefix(
    article: Article, client: Client, language: str
) -> None:
    article.translations.exclude(language=language).delete()
    url = article.translations.get(language=language).get_absolute_url()
    assert url == f"/en/articles/{SLUGS[language]}/"
    page = client.get(url).content.decode()
    assert f'lang="{language}"' in page
    assert HEADLINES[language] in page


@pytest.mark.parametrize("language", HEADLINES)
def test_a_site_language_gets_pages_of_its_own(
    article: Article, client: Client, settings: Any, language: str
) -> None:
    """What SITE_LANGUAGES=en,be,ru,ka,ar sets."""
    settings.LANGUAGES = [*settings.LANGUAGES, ("ka", "ქართული"), ("ar", "العربيّة")]
    url = article.translations.get(language=language).get_absolute_url()
    assert url == f"/{language}/articles/{SLUGS[language]}/"
    page = client.get(url).content.decode()
    assert re.search(rf'<html lang="{language}"\s+dir="{DIRECTIONS[language]}"', page)
    assert WEEKS[language] in page
