"""Up to three articles similar to a given one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from newsletter.editorial.models import Article
from newsletter.web.articles import ArticleView, article_views

SIMILAR = 3


def nearest(
    moment: datetime, candidates: Iterable[tuple[int, datetime]], *, limit: int = SIMILAR
) -> list[int]:
    """Return the IDs of the candidates (ID, time) nearest to `moment`, newest first.

    >>> from datetime import datetime as d
    >>> nearest(d(2017, 7, 10), [(1, d(2017, 7, 1)), (2, d(2017, 7, 12)), (3, d(2018, 1, 1))],
    ...         limit=2)
    [2, 1]
    """
    near = sorted(candidates, key=lambda candidate: (abs(candidate[1] - moment), candidate[0]))[
        :limit
    ]
    return [pk for pk, _time in sorted(near, key=lambda candidate: candidate[1], reverse=True)]


def similar_articles(article: Article, language: str, *, at: datetime) -> list[ArticleView]:
    """Return the editors' picks, or without any, the articles of the topic nearest in time."""
    others = Article.objects.public(at).with_parts().exclude(pk=article.pk)
    picks = list(others.filter(pk__in=article.similar.values("pk"))[:SIMILAR])
    if not picks and article.topic_id:
        ids = _nearest_of_topic(article, at=at)
        order = {pk: position for position, pk in enumerate(ids)}
        picks = sorted(others.filter(pk__in=ids), key=lambda article: order[article.pk])
    return article_views(picks, language, at=at)


def _nearest_of_topic(article: Article, *, at: datetime) -> list[int]:
    """Return the IDs of the nearest articles: three on each side are enough candidates."""
    others = Article.objects.public(at).filter(topic=article.topic_id).exclude(pk=article.pk)
    earlier = others.filter(published_at__lte=article.published_at).order_by("-published_at", "pk")
    later = others.filter(published_at__gt=article.published_at).order_by("published_at", "pk")
    candidates = [
        *earlier.values_list("pk", "published_at")[:SIMILAR],
        *later.values_list("pk", "published_at")[:SIMILAR],
    ]
    return nearest(article.published_at, candidates)
