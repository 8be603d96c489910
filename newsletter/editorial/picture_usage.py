"""In how many articles a picture is used, and how they describe it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from newsletter.editorial.models import (
    Article,
    ArticleTranslation,
    IssueTranslation,
    NewsroomTranslation,
    Picture,
)
from newsletter.editorial.picture_files import stem_of

_FILE_IN_TEXT = re.compile(r"pictures/[0-9a-f]{32}")


def usage(pictures: Iterable[Picture]) -> dict[int, int]:
    """Return in how many articles each picture is used, as the article's picture or in its text."""
    pictures = list(pictures)
    articles: dict[int, set[int]] = {picture.pk: set() for picture in pictures}
    for picture_id, article_id in Article.objects.filter(picture__in=pictures).values_list(
        "picture", "pk"
    ):
        articles[picture_id].add(article_id)
    in_texts = _articles_by_stem()
    for picture in pictures:
        articles[picture.pk] |= in_texts.get(stem_of(str(picture.file.name)), set())
    return {pk: len(found) for pk, found in articles.items()}


def alt_texts(pictures: Iterable[Picture], language: str) -> dict[int, str]:
    """Return the newest alt text that an article has for each picture in the language, if any."""
    texts = ArticleTranslation.objects.filter(article__picture__in=pictures, language=language)
    rows = texts.exclude(alt_text="").order_by("pk").values_list("article__picture", "alt_text")
    return dict(rows)


def unused_ids() -> list[int]:
    """Return the pictures that no article uses, and no introduction or page of the newsroom."""
    in_texts = {*_articles_by_stem(), *_stems_outside_articles()}
    rows = Picture.objects.filter(articles=None).values_list("pk", "file")
    return [pk for pk, name in rows if stem_of(name) not in in_texts]


def _stems_outside_articles() -> set[str]:
    texts = [*IssueTranslation.objects.values_list("introduction", flat=True)]
    for about, privacy in NewsroomTranslation.objects.values_list("about", "privacy"):
        texts += [about, privacy]
    return {stem for text in texts for stem in _FILE_IN_TEXT.findall(text)}


def _articles_by_stem() -> dict[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    rows = ArticleTranslation.objects.filter(body__contains="pictures/")
    for article_id, body in rows.values_list("article", "body"):
        for stem in _FILE_IN_TEXT.findall(body):
            found[stem].add(article_id)
    return found
