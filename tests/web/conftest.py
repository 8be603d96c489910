"""A site in three languages: an issue with articles, drafts, and an archive of thirty issues."""

from __future__ import annotations

from datetime import UTC, date, datetime
from io import BytesIO

import pytest
from django.core.files.base import ContentFile
from PIL import Image

from newsletter.editorial.models import Article, Issue, Newsletter, Picture, Topic, Trend
from tests.conftest import WriteArticle


@pytest.fixture
def published(issue: Issue) -> Issue:
    """The issue of 24–30 July 2017, approved."""
    Issue.objects.filter(pk=issue.pk).update(state=Issue.State.APPROVED)
    issue.refresh_from_db()
    return issue


@pytest.fixture
def worsened(security: Topic) -> Trend:
    """Security worsened in the week of the issue."""
    return Trend.objects.create(topic=security, week=date(2017, 7, 24), status="worsened")


@pytest.fixture
def photo(db: None) -> Picture:
    file = BytesIO()
    Image.new("RGB", (4, 3)).save(file, "PNG")
    picture = Picture(kind=Picture.Kind.PHOTO, credit="river.example")
    picture.file.save("river.png", ContentFile(file.getvalue()))
    picture.save()
    return picture


@pytest.fixture
def army(
    write_article: WriteArticle, published: Issue, security: Topic, worsened: Trend, photo: Picture
) -> Article:
    """An article in three languages, with a picture, in a week that has a trend."""
    article = write_article(
        issue=published, topic=security, en="Army news", be="Навіны войска", ru="Новости армии"
    )
    Article.objects.filter(pk=article.pk).update(picture=photo)
    article.refresh_from_db()
    return article


@pytest.fixture
def russian_only(write_article: WriteArticle, published: Issue, security: Topic) -> Article:
    return write_article(issue=published, topic=security, ru="Только по-русски")


@pytest.fixture
def draft(write_article: WriteArticle, published: Issue) -> Article:
    return write_article(issue=published, state="draft", en="Not yet written")


@pytest.fixture
def embargoed(write_article: WriteArticle, published: Issue) -> Article:
    return write_article(
        issue=published, published_at=datetime(2999, 1, 1, tzinfo=UTC), en="Of the future"
    )


@pytest.fixture
def thirty_issues(write_article: WriteArticle, weekly: Newsletter, security: Topic) -> list[Issue]:
    """Thirty more weekly issues with two articles each."""
    issues = []
    for n in range(30):
        monday = date.fromordinal(date(2016, 1, 4).toordinal() + 7 * n)
        sunday = date.fromordinal(monday.toordinal() + 6)
        issue = Issue.objects.create(
            newsletter=weekly, starts_on=monday, ends_on=sunday, state=Issue.State.APPROVED
        )
        when = datetime(sunday.year, sunday.month, sunday.day, 12, tzinfo=UTC)
        write_article(issue=issue, topic=security, published_at=when, en=f"En {n}", be=f"Be {n}")
        write_article(issue=issue, published_at=when, ru=f"Ru {n}")
        issues.append(issue)
    return issues
