"""Create an issue of about 70 KB, and load readers with COPY."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import connection, transaction

from benchmarks.words import ARTICLES, PARAGRAPHS, text
from newsletter.delivery.models import Mailing, Release
from newsletter.editorial import workflow
from newsletter.editorial.models import (
    Article,
    ArticleTranslation,
    Issue,
    Newsletter,
    NewsletterTranslation,
    Newsroom,
    NewsroomTranslation,
)
from subscribers.addresses import Address
from subscribers.crypto.sealing import address_hash, seal_address


def create_newsletter(slug: str) -> Newsletter:
    """Create a newsletter in English that sends full texts."""
    room, made = Newsroom.objects.get_or_create(singleton=True)
    if made:
        NewsroomTranslation.objects.create(newsroom=room, language="en", name="Bench")
    newsletter = Newsletter.objects.create(
        slug=slug,
        languages=["en"],
        choices=[{"label": "EN", "languages": ["en"]}],
        sender_address="desk@news.example.org",
        time=time(9, 0),
        content=Newsletter.Content.FULL,
        pictures=Newsletter.Pictures.NONE,
    )
    NewsletterTranslation.objects.create(newsletter=newsletter, language="en", name=f"Bench {slug}")
    _create_issue(newsletter)
    return newsletter


def _create_issue(newsletter: Newsletter) -> None:
    issue = Issue.objects.create(
        newsletter=newsletter,
        starts_on=date(2017, 7, 24),
        ends_on=date(2017, 7, 30),
    )
    for number in range(ARTICLES):
        article = Article.objects.create(
            newsletter=newsletter,
            issue=issue,
            published_at=datetime(2017, 7, 30, 6, 0, tzinfo=UTC) - timedelta(hours=number),
            original_language="en",
            position=number,
        )
        ArticleTranslation.objects.create(
            article=article,
            language="en",
            headline=text(number, 8),
            slug=f"{newsletter.slug}-{number}",
            lead=text(100 + number, 40),
            body="".join(
                f"<p>{text(1000 + 50 * number + part, 85)}</p>" for part in range(PARAGRAPHS)
            ),
            state=ArticleTranslation.State.READY,
        )
    workflow.approve(issue, by=None)


def new_mailing(newsletter: Newsletter) -> Mailing:
    """Create another mailing of the same issue, in a separate release."""
    release = Release.objects.create(
        newsletter=newsletter,
        issue=newsletter.issues.get(),
        kind=Release.Kind.SPECIAL,
        period=f"bench-{uuid.uuid4()}",
    )
    return Mailing.objects.create(release=release)


def load_readers(count: int) -> None:
    """Load readers 1 to `count`, encrypted with the production keys and functions."""
    columns = (
        "id, public_id, sealed_address, storage_key, address_hash,"
        " address_hash_key, language, created_on"
    )
    _copy(f"COPY subscribers_subscriber ({columns}) FROM STDIN", _readers(count))


def _readers(count: int) -> Iterator[tuple[Any, ...]]:
    today = datetime.now(UTC).date()
    for number in range(1, count + 1):
        address = Address(f"reader{number:08d}", "readers.example")
        public_id = uuid.uuid4()
        sealed, hashed = seal_address(address, public_id), address_hash(address)
        encrypted = (sealed.data, sealed.key_number, hashed.digest, hashed.key_number)
        yield number, public_id, *encrypted, "en", today


def subscribe_all(newsletter: Newsletter, count: int) -> None:
    """Subscribe the first `count` readers to this newsletter."""
    today = datetime.now(UTC).date()
    row = (newsletter.pk, "active", "en", "", "weekly", "", True, False, False, "", "import", today)
    columns = (
        "subscriber_id, newsletter_id, state, languages, topics, frequency, content, pictures,"
        " plain_text, discreet, mailbox_provider, source, created_on"
    )
    _copy(
        f"COPY subscribers_subscription ({columns}) FROM STDIN",
        ((number, *row) for number in range(1, count + 1)),
    )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE subscribers_subscription")
        cursor.execute("VACUUM ANALYZE subscribers_subscriber")


def _copy(statement: str, rows: Iterator[tuple[Any, ...]]) -> None:
    with transaction.atomic(), connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
