"""Converting models to the digest's values."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

from django.core.files.base import ContentFile
from PIL import Image

from newsletter.editorial.content import issue_content, newsletter_content
from newsletter.editorial.models import (
    Issue,
    IssueTranslation,
    Newsletter,
    NewsletterTranslation,
    NewsroomTranslation,
    Picture,
    Topic,
    Trend,
)
from tests.conftest import WriteArticle

NOW = datetime(2017, 8, 2, tzinfo=UTC)


def draw_picture(*, size: tuple[int, int] = (40, 30), encoding: str = "PNG") -> ContentFile[bytes]:
    out = io.BytesIO()
    Image.new("RGB", size, "#8a1c1c").save(out, encoding)
    return ContentFile(out.getvalue(), name=f"drawn.{encoding.lower()}")


def test_all_fields_of_an_article_are_converted(
    issue: Issue, security: Topic, write_article: WriteArticle, settings: Any
) -> None:
    settings.SITE_URL = "https://news.example.org"
    article = write_article(issue=issue, topic=security, be="Бяспека", en="Security")
    article.picture = Picture.objects.create(file=draw_picture(), kind="graphic", credit="A. Pen")
    article.save()
    Trend.objects.create(topic=security, week=issue.starts_on, status="worsened")
    value = issue_content(issue, at=NOW).articles[0]
    assert list(value.texts) == ["be", "en"]
    assert value.texts["be"].url == (
        f"https://news.example.org/be/articles/article-{article.pk}-be/"
    )
    assert value.status == "worsened"
    assert value.topic
    assert value.topic.names["ru"] == "Безопасность"
    assert value.picture
    assert value.picture.url == f"https://news.example.org/media/{value.picture.name}"
    assert (value.picture.width, value.picture.height, value.picture.type) == (40, 30, "image/png")
    assert value.picture.credit
    assert (value.picture.credit.kind, value.picture.credit.name) == ("graphic", "A. Pen")


def test_urls_in_a_language_without_pages_have_the_default_prefix(
    issue: Issue, write_article: WriteArticle
) -> None:
    write_article(issue=issue, ka="სათაური")
    assert "/en/articles/" in issue_content(issue, at=NOW).articles[0].texts["ka"].url


def test_only_ready_and_published_texts_are_included(
    issue: Issue, write_article: WriteArticle
) -> None:
    write_article(issue=issue, en="Draft", state="draft")
    write_article(issue=issue, en="Later", published_at=datetime(2017, 8, 3, tzinfo=UTC))
    partly = write_article(issue=issue, en="Here", be="Тут")
    partly.translations.filter(language="be").update(state="review")
    assert [list(a.texts) for a in issue_content(issue, at=NOW).articles] == [["en"]]


def test_a_credit_needs_no_picture(issue: Issue, write_article: WriteArticle) -> None:
    article = write_article(issue=issue, en="Headline")
    article.credit = "A. Pen"
    article.save()
    picture = issue_content(issue, at=NOW).articles[0].picture
    assert picture
    assert (picture.name, picture.url) == ("", "")


def test_an_issue_keeps_its_own_texts_and_the_editors_order(
    issue: Issue, write_article: WriteArticle
) -> None:
    first, second = write_article(issue=issue, en="One"), write_article(issue=issue, en="Two")
    first.position, second.position = 2, 1
    first.save()
    second.save()
    IssueTranslation.objects.create(
        issue=issue, language="be", subject="Тэма", introduction="<p>Слова</p>"
    )
    value = issue_content(issue, at=NOW)
    assert [a.id for a in value.articles] == [second.pk, first.pk]
    assert value.texts["be"].subject == "Тэма"
    assert value.urls["be"].endswith("/be/issues/weekly/2017-07-24/")


def test_more_articles_take_no_more_queries(
    issue: Issue,
    security: Topic,
    write_article: WriteArticle,
    django_assert_num_queries: Any,
) -> None:
    for _ in range(2):
        for number in range(4):
            write_article(issue=issue, topic=security, en=f"H{number}", be=f"З{number}")
        fresh = Issue.objects.select_related("newsletter").get()
        with django_assert_num_queries(5):
            issue_content(fresh, at=NOW)


def test_branding_exists_in_each_language(weekly: Newsletter) -> None:
    value = newsletter_content(weekly)
    assert value.languages == ("en", "be", "ru")
    assert value.branding_by_language["be"].newsletter == "Тыдзень у фокусе"
    assert value.branding_by_language["be"].sender_name == "Тыдзень у фокусе"


def test_missing_branding_comes_from_the_same_sign_up_choice(weekly: Newsletter) -> None:
    """BE/RU is one choice, so texts that are missing in Belarusian come from Russian."""
    NewsletterTranslation.objects.filter(language="be").delete()
    NewsletterTranslation.objects.filter(language="ru").update(sender_name="Редакция")
    NewsroomTranslation.objects.filter(language="be").delete()
    branding = newsletter_content(weekly).branding_by_language["be"]
    assert (branding.newsletter, branding.newsroom, branding.sender_name) == (
        "Неделя в фокусе",
        "Неделя в фокусе",
        "Редакция",
    )


def test_missing_branding_comes_from_the_first_language_otherwise(weekly: Newsletter) -> None:
    weekly.languages = ["en", "ka"]
    weekly.save()
    assert newsletter_content(weekly).branding_by_language["ka"].newsletter == "Week in View"
