"""Create what a chaos run sends: one issue for many readers, r0@… to rN@….

Needs django.setup(). `python -m tests.chaos.newsroom N` creates the newsroom with N readers, and
prepares the mailing.
"""

from __future__ import annotations

import sys
import uuid
from datetime import date, timedelta

import django
from django.utils import timezone

if __name__ == "__main__":
    django.setup()

from newsletter.delivery.models import Mailing
from newsletter.delivery.planning import snapshot, start
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
from subscribers.addresses import parse_stored
from subscribers.crypto.sealing import address_hash, seal_address
from subscribers.models import Subscriber, Subscription


def create_newsroom() -> tuple[Newsletter, Issue]:
    """Create a newsroom with one newsletter and one approved issue of one article."""
    newsroom = Newsroom.objects.create()
    NewsroomTranslation.objects.create(newsroom=newsroom, language="en", name="Week in View")
    newsletter = Newsletter.objects.create(
        slug="weekly",
        languages=["en"],
        choices=[{"label": "EN", "languages": ["en"]}],
        sender_address="desk@news.example.org",
        time="09:00",
    )
    NewsletterTranslation.objects.create(newsletter=newsletter, language="en", name="Week in View")
    return newsletter, create_issue(newsletter, date(2017, 7, 24))


def create_issue(newsletter: Newsletter, monday: date) -> Issue:
    """Create an approved issue of one article."""
    issue = Issue.objects.create(
        newsletter=newsletter,
        starts_on=monday,
        ends_on=monday + timedelta(days=6),
    )
    article = Article.objects.create(
        newsletter=newsletter, issue=issue, published_at=timezone.now(), original_language="en"
    )
    ArticleTranslation.objects.create(
        article=article,
        language="en",
        headline="Minsk looks east",
        slug=f"minsk-looks-east-{monday}",
        lead="A lead.",
        body="<p>A text.</p>",
        state=ArticleTranslation.State.READY,
    )
    workflow.approve(issue, by=None)
    return issue


def add_readers(newsletter: Newsletter, numbers: range) -> None:
    """Create confirmed readers of English, many at a time."""
    for first in range(numbers.start, numbers.stop, 1000):
        readers = [_reader(n) for n in range(first, min(first + 1000, numbers.stop))]
        Subscriber.objects.bulk_create(readers)
        Subscription.objects.bulk_create(
            Subscription(
                subscriber=reader,
                newsletter=newsletter,
                state=Subscription.State.ACTIVE,
                languages=("en",),
                source=Subscription.Source.OPERATOR,
                confirmed_on=timezone.now().date(),
            )
            for reader in readers
        )


def _reader(number: int) -> Subscriber:
    address = parse_stored(f"r{number}@readers.example")
    hashed = address_hash(address)
    reader = Subscriber(public_id=uuid.uuid4(), language="en")
    sealed = seal_address(address, reader.public_id)
    reader.sealed_address, reader.storage_key = sealed.data, sealed.key_number
    reader.address_hash, reader.address_hash_key = hashed.digest, hashed.key_number
    return reader


def prepare_mailing(issue: Issue) -> Mailing:
    """Take the snapshot of a mailing of the issue; the workers send it."""
    return snapshot.prepare(start.send_now(issue, by=None).pk)


if __name__ == "__main__":
    newsletter, issue = create_newsroom()
    add_readers(newsletter, range(int(sys.argv[1])))
    prepare_mailing(issue)
