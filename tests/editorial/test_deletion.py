"""Deleting, and restoring within 30 days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from newsletter.delivery.models import Mailing, Release
from newsletter.editorial import deletion
from newsletter.editorial.models import (
    Article,
    ArticleTranslation,
    Deletion,
    Issue,
    Newsletter,
    Picture,
    Topic,
    Trend,
    User,
)
from tests.conftest import WriteArticle

pytestmark = pytest.mark.django_db
PRECISE = datetime(2017, 8, 1, 6, 0, 0, 123456, tzinfo=UTC)


def snapshot(model: type[Article | ArticleTranslation | Issue | Topic | Picture]) -> list[object]:
    return list(model._base_manager.order_by("pk").values())


def test_a_deleted_article_is_gone_everywhere_and_comes_back_as_it_was(
    issue: Issue, security: Topic, write_article: WriteArticle, editor: User
) -> None:
    article = write_article(
        issue=issue, topic=security, en="Headline", be="Загаловак", published_at=PRECISE
    )
    other = write_article(issue=issue, en="Other")
    article.similar.add(other)
    other.similar.add(article)
    before = (snapshot(Article), snapshot(ArticleTranslation))
    entry = deletion.delete(article, by=editor)
    assert (entry.name, entry.deleted_by, entry.newsletter) == (
        "Headline",
        editor,
        issue.newsletter,
    )
    assert list(Article.objects.all()) == [other]
    assert not ArticleTranslation.objects.exclude(article=other).exists()
    assert not other.similar.exists()
    restored = deletion.restore(entry)
    assert restored.notes == []
    assert (snapshot(Article), snapshot(ArticleTranslation)) == before
    assert list(article.similar.all()) == [other]
    assert list(other.similar.all()) == [article]
    assert not Deletion.objects.exists()


def test_a_slug_in_the_bin_blocks_nobody_and_is_renamed_when_it_comes_back(
    issue: Issue, write_article: WriteArticle
) -> None:
    article = write_article(issue=issue, en="Headline")
    ArticleTranslation.objects.update(slug="headline")
    entry = deletion.delete(article, by=None)
    newer = write_article(issue=issue, en="Headline")
    ArticleTranslation.objects.filter(article=newer).update(slug="headline")
    restored = deletion.restore(entry)
    assert [text.slug for text in article.translations.all()] == ["headline-2"]
    assert restored.notes == ["Its slug was taken; it is “headline-2” now."]


def test_a_restored_article_moves_others_down_to_its_old_position(
    issue: Issue, write_article: WriteArticle
) -> None:
    first, second = write_article(issue=issue, en="One"), write_article(issue=issue, en="Two")
    entry = deletion.delete(first, by=None)
    second.position = 1
    second.save()
    deletion.restore(entry)
    assert list(issue.articles.values_list("pk", "position")) == [(first.pk, 1), (second.pk, 2)]


def test_a_deleted_issue_leaves_its_articles_and_gets_them_back_in_order(
    issue: Issue, write_article: WriteArticle
) -> None:
    first, second, third = (write_article(issue=issue, en=name) for name in ("1", "2", "3"))
    issue.translations.create(language="en", subject="Subject")
    release = Release.objects.create(newsletter=issue.newsletter, period=issue.key, issue=issue)
    mailing = Mailing.objects.create(release=release, state="finished")
    entry = deletion.delete(issue, by=None)
    assert Article.objects.filter(issue=None).count() == 3
    assert Mailing.objects.get() == mailing, "what was sent stays"
    second.refresh_from_db()
    other = Issue.objects.create(
        newsletter=issue.newsletter, starts_on=date(2017, 7, 31), ends_on=date(2017, 8, 6)
    )
    second.issue = other
    second.save()
    deletion.restore(entry)
    assert list(issue.articles.all()) == [first, third]
    assert list(other.articles.all()) == [second], "someone has used it elsewhere"
    release.refresh_from_db()
    assert release.issue == issue
    assert issue.translations.get().subject == "Subject"


def test_an_issue_isnt_restored_over_another_one_of_its_week(issue: Issue) -> None:
    entry = deletion.delete(issue, by=None)
    Issue.objects.create(
        newsletter=issue.newsletter, starts_on=issue.starts_on, ends_on=issue.ends_on
    )
    with pytest.raises(deletion.CannotRestoreError, match="overlap"):
        deletion.restore(entry)
    assert Deletion.objects.get() == entry


def test_a_special_issue_and_a_topic_are_renamed_if_their_slug_was_taken(
    weekly: Newsletter, security: Topic
) -> None:
    days = {"starts_on": date(2017, 8, 1), "ends_on": date(2017, 8, 2)}
    special = Issue.objects.create(newsletter=weekly, kind="special", slug="security", **days)
    entries = [deletion.delete(special, by=None), deletion.delete(security, by=None)]
    Issue.objects.create(newsletter=weekly, kind="special", slug="security", **days)
    Topic.objects.create(newsletter=weekly, slug="security")
    for entry in entries:
        row = deletion.restore(entry).row
        assert getattr(row, "slug", "") == "security-2"


def test_a_deleted_topic_and_picture_are_taken_from_articles_and_given_back(
    issue: Issue, security: Topic, write_article: WriteArticle
) -> None:
    picture = Picture.objects.create(file="pictures/a.png", width=3, height=2, credit="4esnok.by")
    article = write_article(issue=issue, topic=security, en="Headline")
    Article.objects.update(picture=picture)
    Trend.objects.create(topic=security, week=date(2017, 7, 24), status="improved")
    before = (snapshot(Picture), snapshot(Topic))
    entries = [deletion.delete(security, by=None), deletion.delete(picture, by=None)]
    article.refresh_from_db()
    assert (article.topic, article.picture) == (None, None)
    assert not Trend.objects.exists()
    for entry in entries:
        deletion.restore(entry)
    article.refresh_from_db()
    assert (article.topic, article.picture) == (security, picture)
    assert (snapshot(Picture), snapshot(Topic)) == before
    assert Trend.objects.for_issue(issue) == {security.pk: "improved"}


def test_a_restored_article_does_without_what_is_gone(
    issue: Issue, security: Topic, write_article: WriteArticle
) -> None:
    article = write_article(issue=issue, topic=security, en="Headline")
    other = write_article(en="Other")
    article.similar.add(other)
    entry = deletion.delete(article, by=None)
    for row in (issue, security, other):
        deletion.delete(row, by=None)
    restored = deletion.restore(entry)
    article.refresh_from_db()
    assert (article.issue, article.topic) == (None, None)
    assert len(restored.notes) == 2
    assert restored.notes[0] == "No longer there, so left out: issue."
    assert not article.similar.exists()


def test_deletions_are_removed_for_good_after_30_days(
    issue: Issue, write_article: WriteArticle
) -> None:
    entry = deletion.delete(write_article(en="Headline"), by=None)
    recent = deletion.delete(issue, by=None)
    Deletion.objects.filter(pk=entry.pk).update(deleted_at=timezone.now() - timedelta(days=31))
    assert deletion.purge(timezone.now()) == 1
    assert list(Deletion.objects.all()) == [recent]


def test_a_deletion_can_be_found_by_the_id_that_links_still_use(
    write_article: WriteArticle,
) -> None:
    article = write_article(en="Headline")
    pk = article.pk
    entry = deletion.delete(article, by=None)
    assert deletion.find(Article, str(pk)) == entry
    assert deletion.find(Issue, pk) is None
    assert deletion.find(Article, "x") is None
