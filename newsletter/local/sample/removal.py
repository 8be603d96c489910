"""Taking the sample newsroom away, with its readers, send-outs and files; nothing else."""

from __future__ import annotations

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet

from newsletter.delivery.models import Batch, Event, Mailing, Outcome, Release, ReleaseRecipient
from newsletter.editorial.models import Article, Newsletter, Newsroom, Picture
from newsletter.local.sample.loading import latest_issue
from subscribers.models import Subscriber, Subscription


class NoSampleError(Exception):
    """The newsroom is somebody's own, or there is none."""


def remove() -> None:
    """Remove the sample newsroom. A newsletter that was added to it stays. Raises NoSampleError."""
    with transaction.atomic():
        newsroom = Newsroom.objects.filter(is_sample=True).first()
        if newsroom is None:
            raise NoSampleError
        files = [str(newsroom.logo.name)] if newsroom.logo else []
        newsletter = Newsletter.objects.filter(slug=latest_issue()[0]).first()
        if newsletter is not None:
            _remove_send_outs(newsletter)
            _remove_readers(newsletter)
            files += _remove_articles(newsletter)
            newsletter.delete()
        newsroom.delete()
        # Files do not come back with a transaction.
        transaction.on_commit(lambda: _delete_files(files))


def _delete_files(names: list[str]) -> None:
    for name in names:
        default_storage.delete(name)


def _remove_send_outs(newsletter: Newsletter) -> None:
    mailings = list(
        Mailing.objects.filter(release__newsletter=newsletter).values_list("pk", flat=True)
    )
    # Rows without a foreign key are removed by hand (ledger.py).
    ledger: list[QuerySet[ReleaseRecipient] | QuerySet[Outcome] | QuerySet[Event]] = [
        ReleaseRecipient.objects.filter(mailing_id__in=mailings),
        Outcome.objects.filter(mailing_id__in=mailings),
        Event.objects.filter(mailing_id__in=mailings),
    ]
    for rows in ledger:
        rows.delete()
    Batch.objects.filter(mailing__in=mailings).delete()  # they protect their editions
    Mailing.objects.filter(pk__in=mailings).delete()
    Release.objects.filter(newsletter=newsletter).delete()


def _remove_readers(newsletter: Newsletter) -> None:
    """Those who get nothing else."""
    others = Subscription.objects.exclude(newsletter=newsletter).values("subscriber")
    Subscriber.objects.filter(subscriptions__newsletter=newsletter).exclude(pk__in=others).delete()


def _remove_articles(newsletter: Newsletter) -> list[str]:
    """Before topics, which they protect. Returns the names of picture files nobody uses now."""
    pictures = list(Picture.objects.filter(articles__newsletter=newsletter).distinct())
    Article.objects.filter(newsletter=newsletter).delete()
    unused = Picture.objects.filter(pk__in=[p.pk for p in pictures], articles=None)
    names = [str(picture.file.name) for picture in unused if picture.file]
    unused.delete()
    return names
