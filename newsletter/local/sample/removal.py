"""Remove the sample newsroom with its readers, mailings and files, and nothing else."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet

from newsletter.delivery.models import Batch, Event, Mailing, Outcome, Release, ReleaseRecipient
from newsletter.editorial.models import Article, Newsletter, Newsroom, Picture
from newsletter.local.sample.loading import latest_issue
from subscribers.models import Subscriber, Subscription


class NoSampleError(Exception):
    """No newsroom exists, or it isn't the sample."""


def remove() -> None:
    """Remove the sample newsroom. A newsletter that was added to it stays. Raises NoSampleError."""
    with transaction.atomic():
        newsroom = Newsroom.objects.filter(is_sample=True).first()
        if newsroom is None:
            raise NoSampleError
        newsletter = Newsletter.objects.filter(slug=latest_issue()[0]).first()
        if newsletter is not None:
            _remove_mailings(newsletter)
            _remove_readers(newsletter)
            _remove_articles(newsletter)
            newsletter.delete()
        # Files follow after the commit: newsletter.editorial.picture_files.
        newsroom.delete()


def _remove_mailings(newsletter: Newsletter) -> None:
    mailings = list(
        Mailing.objects.filter(release__newsletter=newsletter).values_list("pk", flat=True)
    )
    # The ledger has no foreign keys, so nothing cascades to its rows.
    ledger: list[QuerySet[ReleaseRecipient] | QuerySet[Outcome] | QuerySet[Event]] = [
        ReleaseRecipient.objects.filter(mailing_id__in=mailings),
        Outcome.objects.filter(mailing_id__in=mailings),
        Event.objects.filter(mailing_id__in=mailings),
    ]
    for rows in ledger:
        rows.delete()
    Batch.objects.filter(mailing__in=mailings).delete()  # editions are protected by their batches
    Mailing.objects.filter(pk__in=mailings).delete()
    Release.objects.filter(newsletter=newsletter).delete()


def _remove_readers(newsletter: Newsletter) -> None:
    """Remove readers without any other subscription."""
    others = Subscription.objects.exclude(newsletter=newsletter).values("subscriber")
    Subscriber.objects.filter(subscriptions__newsletter=newsletter).exclude(pk__in=others).delete()


def _remove_articles(newsletter: Newsletter) -> None:
    """Remove articles before the topics that they protect, and then pictures that were theirs."""
    pictures = list(Picture.objects.filter(articles__newsletter=newsletter).distinct())
    Article.objects.filter(newsletter=newsletter).delete()
    Picture.objects.filter(pk__in=[p.pk for p in pictures], articles=None).delete()
