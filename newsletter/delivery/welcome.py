"""The latest issue for one reader who asked for it on the welcome page.

It is a batch of one in a mailing of its own (audience `welcome`) within the issue's release. So
Reach keeps the weekly mailing from sending the reader the same issue again, and the account
covers it.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from newsletter.delivery import ledger, planner, progress
from newsletter.delivery.editions import draft_editions
from newsletter.delivery.models import Edition, Mailing
from newsletter.delivery.packing import MODULUS, checksum
from newsletter.editorial.content import issue_content, newsletter_content
from newsletter.editorial.models import Issue
from newsletter.lib.queue import hint
from subscribers import audience
from subscribers.models import Letter, Subscription


def enqueue(letter: Letter) -> bool:
    """Turn the letter into a batch of one; False where there is nothing to send.

    That is where the reader has the issue already, has left, or finds nothing in it to read.
    """
    draft = _draft(letter)
    with transaction.atomic():
        taken = draft is not None and _take(letter.subscriber_id, draft)
        ended = Letter.State.SENT if taken else Letter.State.DROPPED
        Letter.objects.filter(pk=letter.pk, fence=letter.fence).update(
            state=ended, lease_until=None
        )
    return taken


def _draft(letter: Letter) -> Edition | None:
    """The edition that this reader would get, unsaved, of a mailing that exists."""
    now = timezone.now()
    issue = Issue.objects.public(now).filter(pk=letter.about).first()
    subscription = Subscription.objects.filter(
        subscriber_id=letter.subscriber_id,
        newsletter=letter.newsletter,
        state=Subscription.State.ACTIVE,
    ).first()
    if issue is None or subscription is None:
        return None
    mailing, _ = Mailing.objects.get_or_create(
        release=planner.release_of(issue),
        audience=Mailing.Audience.WELCOME,
        defaults={"state": Mailing.State.SENDING, "readers": 0, "checksum": 0},
    )
    profile = audience.profile_of(subscription)
    editions = draft_editions(
        mailing,
        [profile],
        issue.newsletter,
        letterhead=newsletter_content(issue.newsletter),
        issue=issue_content(issue, at=now),
        today=issue.newsletter.date_at(now),
    )
    return next(iter(editions.drafts.values()), None)


def _take(subscriber_id: int, draft: Edition) -> bool:
    mailing = Mailing.objects.select_for_update().get(pk=draft.mailing_id)
    if mailing.state not in {Mailing.State.SENDING, Mailing.State.FINISHED}:
        return False
    if not ledger.reach(mailing.release_id, mailing.pk, [subscriber_id]):
        return False
    edition = mailing.editions.filter(key=draft.key).first()
    if edition is None:
        draft.save()
        edition = draft
    batch = planner.new_batch(edition, [subscriber_id], due_at=progress.database_now())
    batch.save()
    Mailing.objects.filter(pk=mailing.pk).update(
        state=Mailing.State.SENDING,
        finished_at=None,
        readers=F("readers") + 1,
        checksum=((mailing.checksum or 0) + checksum([subscriber_id])) % MODULUS,
    )
    transaction.on_commit(lambda: hint("delivery.send", batch.pk))
    return True
