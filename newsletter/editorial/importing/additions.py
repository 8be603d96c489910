"""Rows of articles that an import adds, written many at a time.

One row after the other, thousands of articles take minutes: each save looks at what was stored
before, and a new article has nothing there.
"""

from __future__ import annotations

from django.db import models as django_models
from django.utils import timezone

from newsletter.editorial import models, revisions

MOST_TEXTS = 300
"""Texts that wait to be written. A text has up to a million characters."""
BATCH = 100
"""Rows in one statement."""


class Additions:
    """New pictures, articles and translations that wait to be written, in this order.

    Each was validated. An article may be added only if its issue, if it has one, has no articles
    but those of this import, because nothing makes room at its position.
    """

    def __init__(self) -> None:
        self._pictures: list[models.Picture] = []
        self._articles: list[models.Article] = []
        self._texts: list[models.ArticleTranslation] = []

    def add(self, row: django_models.Model) -> None:
        """Have the row written with the others, and give it its primary key then."""
        match row:
            case models.Picture():
                self._pictures.append(row)
            case models.Article():
                self._articles.append(row)
            case models.ArticleTranslation():
                self._texts.append(row)
            case _:
                raise TypeError(type(row).__name__)

    def flush_if_many(self) -> None:
        if len(self._texts) >= MOST_TEXTS:
            self.flush()

    def flush(self) -> None:
        """Write the rows, and the first revision of each text."""
        at = timezone.now()
        models.Picture.objects.bulk_create(self._pictures, batch_size=BATCH)
        models.Article.objects.bulk_create(self._articles, batch_size=BATCH)
        for text in self._texts:
            revisions.prepare_first(text, at=at)
        models.ArticleTranslation.objects.bulk_create(self._texts, batch_size=BATCH)
        revisions.record_first(self._texts, at=at, batch_size=BATCH)
        self._pictures, self._articles, self._texts = [], [], []
