"""Two newsletters with the same rows, so that a test can ask for both: its own and a foreign."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from newsletter.delivery.models import Edition, Mailing, Release
from newsletter.editorial import deletion
from newsletter.editorial.models import (
    Article,
    ArticleTranslation,
    Deletion,
    Issue,
    Newsletter,
    Newsroom,
    Picture,
    Topic,
    User,
)
from subscribers.models import Export, Subscriber, Subscription, Suppression, UnsubscribeReason

FOREIGN = "Foreignword"
"""Stands in each text of the foreign newsletter."""
MONDAY = date(2017, 7, 24)


@dataclass
class Side:
    """One newsletter's rows."""

    newsletter: Newsletter
    issue: Issue
    article: Article
    topic: Topic
    mailing: Mailing
    edition: Edition
    subscriber: Subscriber
    subscription: Subscription
    export: Export
    reason: UnsubscribeReason
    deleted: Deletion


@dataclass
class World:
    own: Side
    foreign: Side
    newsroom: Newsroom
    picture: Picture
    suppression: Suppression
    colleague: User


def build(newsroom: Newsroom) -> World:
    """Create everything that a page of the desk can be about."""
    return World(
        own=_side("own", "Ownword"),
        foreign=_side("foreign", FOREIGN),
        newsroom=newsroom,
        picture=Picture.objects.create(file="pictures/a.png", width=40, height=30, size=100),
        suppression=Suppression.objects.create(
            address_hash=b"s" * 32, address_hash_key=1, reason="bounced"
        ),
        colleague=User.objects.create_user("colleague", is_staff=True),
    )


def _side(slug: str, word: str) -> Side:
    newsletter = Newsletter.objects.create(
        slug=slug,
        languages=["en", "be"],
        choices=[{"label": "EN", "languages": ["en", "be"]}],
        sender_address=f"{slug}@news.example.org",
    )
    newsletter.translations.create(language="en", name=f"{word} Weekly")
    issue = Issue.objects.create(
        newsletter=newsletter, starts_on=MONDAY, ends_on=MONDAY + timedelta(days=6)
    )
    topic = Topic.objects.create(newsletter=newsletter, slug=slug)
    topic.translations.create(language="en", name=f"{word} topic")
    article = _article(newsletter, issue, word)
    doomed = _article(newsletter, None, f"{word} deleted")
    deleted = deletion.delete(doomed, by=None)
    release = Release.objects.create(newsletter=newsletter, period=issue.key, issue=issue)
    mailing = Mailing.objects.create(release=release, state="sending", readers=0)
    edition = Edition.objects.create(
        mailing=mailing,
        key="k",
        public_id=slug,
        language="en",
        label="en · lead",
        subject=f"{word} subject",
        preheader="",
        html=f"<p>{word}</p>",
        text=word,
        headers={},
    )
    subscriber = Subscriber.objects.create(
        address_hash=slug.encode().ljust(32),
        address_hash_key=1,
        sealed_address=b"x",
        storage_key=1,
        language="en",
    )
    subscription = Subscription.objects.create(
        subscriber=subscriber, newsletter=newsletter, state="active", languages=("en",)
    )
    subscription.consents.create(
        action="confirmed", language="en", source="form", at=timezone.now()
    )
    return Side(
        newsletter,
        issue,
        article,
        topic,
        mailing,
        edition,
        subscriber,
        subscription,
        Export.objects.create(newsletter=slug, kind="readers", purpose=f"{word} purpose"),
        UnsubscribeReason.objects.create(newsletter=newsletter, year=2017, reason="other"),
        deleted,
    )


def _article(newsletter: Newsletter, issue: Issue | None, word: str) -> Article:
    article = Article.objects.create(
        newsletter=newsletter, issue=issue, original_language="en", position=1
    )
    for language in ("en", "be"):
        ArticleTranslation.objects.create(
            article=article,
            language=language,
            headline=f"{word} headline",
            lead=f"{word} lead",
            state="ready" if language == "en" else "draft",
        )
    return article


def content_type(model: Any) -> int:
    return int(ContentType.objects.get_for_model(model).pk)
