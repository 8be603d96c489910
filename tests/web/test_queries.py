"""A page takes the same number of queries, however much it shows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from newsletter.editorial.models import Article, Issue, Topic, Trend
from tests.conftest import WriteArticle


@pytest.fixture
def add_content(
    write_article: WriteArticle, army: Article, security: Topic, published: Issue
) -> Callable[[int], None]:
    """Return a function that adds eight earlier weeks to everything that pages list."""

    def add(start: int) -> None:
        for n in range(start, start + 8):
            write_article(issue=published, topic=security, en=f"More {n}", be=f"Больш {n}")
            write_article(ru=f"Без номера {n}")
            monday = date.fromordinal(date(2017, 7, 17).toordinal() - 7 * n)
            Trend.objects.create(topic=security, week=monday, status="improved")
            issue = Issue.objects.create(
                newsletter=published.newsletter,
                starts_on=monday,
                ends_on=date.fromordinal(monday.toordinal() + 6),
                state=Issue.State.APPROVED,
            )
            write_article(issue=issue, topic=security, be=f"Нумар {n}")

    return add


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/be/", 28),
        ("/be/issues/", 18),
        ("/be/issues/weekly/2017-07-24/", 28),
        ("/be/topics/security/", 24),
        ("/be/articles/{slug}/", 32),
        ("/be/feed.xml", 6),
        ("/sitemap.xml", 10),
    ],
)
def test_the_number_of_queries_does_not_grow(
    client: Client, army: Article, add_content: Callable[[int], None], path: str, limit: int
) -> None:
    url = path.format(slug=army.translations.get(language="be").slug)
    counts = []
    for start in (0, 8):
        add_content(start)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= limit
