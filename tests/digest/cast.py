"""The cast of the digest tests: a weekly by a river, in English, Belarusian and Russian."""

from __future__ import annotations

from datetime import date
from typing import Any

from newsletter.digest.assemble import assemble
from newsletter.digest.content import (
    Article,
    ArticleText,
    Branding,
    Credit,
    EditionOptions,
    Issue,
    IssueText,
    Newsletter,
    Picture,
    RenderedEmail,
    Topic,
)
from newsletter.digest.render import render

SITE = "https://news.example.org"
TODAY = date(2026, 11, 21)
VIEW_URL = f"{SITE}/view/abc/"

NEWSLETTER = Newsletter(
    slug="weekly",
    languages=("en", "be", "ru"),
    branding_by_language={
        "en": Branding("Example Desk", "The Riverside Weekly", "Desk", "Free.", "1 Quay Street"),
        "be": Branding("Прыстань", "Тыдзень ля ракі", "Рэдакцыя", "Бясплатна.", "вул. Лодак, 1"),
        "ru": Branding("Пристань", "Неделя у реки", "Редакция", "Бесплатно.", "ул. Лодок, 1"),
    },
    site_url=SITE,
)
SECURITY = Topic(1, {"en": "Road safety", "be": "Бяспека на дарогах", "ru": "Безопасность"})
RIVER = Topic(2, {"en": "The river", "be": "Рака", "ru": "Река"})

HEADLINES = {
    "en": "The ferry is back",
    "be": "Паром вярнуўся",
    "ru": "Паром вернулся",
}
PICTURE = Picture(
    "pictures/ferry.png",
    f"{SITE}/media/pictures/ferry.png",
    1200,
    800,
    "image/png",
    Credit("photo", "4esnok.example"),
)


def write_text(language: str, headline: str = "", number: int = 1, **fields: Any) -> ArticleText:
    headline = headline or f"{HEADLINES.get(language, language)} {number}"
    values: dict[str, Any] = {
        "headline": headline,
        "lead": f"{headline}: {'lead ' * 12}".strip(),
        "body": f"<p>{headline}: text.</p>",
        "url": f"{SITE}/{language}/articles/{number}/",
        "alt_text": f"Alt {language}",
    }
    return ArticleText(**{**values, **fields})


def write_article(number: int, *languages: str, **fields: Any) -> Article:
    texts = {language: write_text(language, number=number) for language in languages}
    return Article(**{"id": number, "texts": texts, **fields})


def write_issue(*articles: Article, **fields: Any) -> Issue:
    values: dict[str, Any] = {
        "starts_on": date(2017, 7, 24),
        "ends_on": date(2017, 7, 30),
        "articles": articles,
        "urls": {code: f"{SITE}/{code}/issues/weekly/2017-07-24/" for code in ("en", "be", "ru")},
    }
    return Issue(**{**values, **fields})


def write_rich_issue() -> Issue:
    """An issue of four articles: one in all languages with a picture, one in two languages, one in
    Russian with only a credit, and one in English only."""
    return write_issue(
        write_article(1, "en", "be", "ru", topic=RIVER, status="improved", picture=PICTURE),
        write_article(2, "en", "be", topic=SECURITY, status="worsened"),
        write_article(
            3,
            "ru",
            status="unchanged",
            picture=Picture("", "", 0, 0, "", Credit("photo", "nad.by")),
        ),
        write_article(4, "en", topic=RIVER),
        texts={"be": IssueText(introduction='<p>Уступ са <a href="/be/about/">спасылкай</a>.</p>')},
    )


def edition_options(*chain: str, **fields: Any) -> EditionOptions:
    return EditionOptions(**{"chain": chain, "page_language": chain[0], **fields})


def edition(
    issue: Issue, *chain: str, newsletter: Newsletter = NEWSLETTER, **fields: Any
) -> RenderedEmail:
    """Return the edition for readers of `chain`."""
    selection = assemble(issue, edition_options(*chain, **fields))
    assert selection is not None
    return render(newsletter, issue, selection, view_url=VIEW_URL, today=TODAY)
