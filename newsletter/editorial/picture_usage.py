"""In how many articles a picture is used, and finding pictures by their words."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

from django.db.models import QuerySet

from newsletter.editorial.models import Article, ArticleTranslation, Picture
from newsletter.editorial.picture_files import stem_of

_FILE_IN_TEXT = re.compile(r"pictures/[0-9a-f]{32}")
_APOSTROPHES = str.maketrans(dict.fromkeys("'’ʼ`´"))


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


def unused_ids() -> list[int]:
    """Return the pictures that no article uses."""
    in_texts = _articles_by_stem()
    rows = Picture.objects.filter(articles=None).values_list("pk", "file")
    return [pk for pk, name in rows if stem_of(name) not in in_texts]


def _articles_by_stem() -> dict[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    rows = ArticleTranslation.objects.filter(body__contains="pictures/")
    for article_id, body in rows.values_list("article", "body"):
        for stem in _FILE_IN_TEXT.findall(body):
            found[stem].add(article_id)
    return found


def search(words: str) -> QuerySet[Picture]:
    """Return the pictures whose name, credit or articles' headlines contain each of the words.

    Case, ё and the kind of apostrophe don't matter, in any language and on any database (H5).
    """
    wanted = fold(words).split()
    if not wanted:
        return Picture.objects.all()
    texts: dict[int, list[str]] = defaultdict(list)
    rows = Picture.objects.values_list("pk", "name", "credit", "articles__translations__headline")
    for pk, *parts in rows.order_by():
        texts[pk] += [part for part in parts if part]
    matching = [
        pk
        for pk, parts in texts.items()
        if all(word in text for text in [fold(" ".join(parts))] for word in wanted)
    ]
    return Picture.objects.filter(pk__in=matching)


def fold(text: str) -> str:
    """Return the text as it is compared when searching."""
    composed = unicodedata.normalize("NFC", text).casefold()
    return composed.replace("ё", "е").translate(_APOSTROPHES)
