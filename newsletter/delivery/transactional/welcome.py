"""Send the latest issue to one reader who asked for it on the welcome page.

The email becomes a batch of one, in a separate mailing (audience `welcome`) of the issue's release.
So ReleaseRecipient keeps the weekly mailing from sending this reader the same issue again, and
reports and the audit cover it.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from newsletter.delivery.models import Edition, Mailing
from newsletter.delivery.planning import snapshot, start
from newsletter.delivery.planning.editions import draft_editions
from newsletter.delivery.sending import ledger, protocol
from newsletter.delivery.sending.batches import MODULUS, checksum
from newsletter.editorial.content import issue_content
from newsletter.editorial.models import Issue
from newsletter.lib.queue import wake
from subscribers import audience
from subscribers.models import Subscription, TransactionalEmail


def enqueue(email: TransactionalEmail) -> bool:
    """Turn the email into a batch of one; return False, and drop it, if there's nothing to send.

    That is the case if the reader already has the issue, has unsubscribed, or would find nothing
    to read in it.
    """
    draft = _draft(email)
    with transaction.atomic():
        queued = draft is not None and _queue_batch(email.subscriber_id, draft)
        state = TransactionalEmail.State.SENT if queued else TransactionalEmail.State.DROPPED
        TransactionalEmail.objects.filter(pk=email.pk, fence=email.fence).update(
            state=state, lease_until=None
        )
    return queued


def _draft(email: TransactionalEmail) -> Edition | None:
    """Return the edition for this reader, unsaved, in the welcome mailing (created if needed)."""
    now = timezone.now()
    issue = Issue.objects.public(now).filter(pk=email.about).first()
    subscription = Subscription.objects.filter(
        subscriber_id=email.subscriber_id,
        newsletter=email.newsletter,
        state=Subscription.State.ACTIVE,
    ).first()
    if issue is None or subscription is None:
        return None
    mailing, _ = Mailing.objects.get_or_create(
        release=start.release_of(issue),
        audience=Mailing.Audience.WELCOME,
        defaults={"state": Mailing.State.SENDING, "readers": 0, "checksum": 0},
    )
    segment, contents = audience.segment_of(subscription), issue_content(issue, at=now)
    editions = draft_editions(mailing, [segment], issue.newsletter, issue=contents, at=now)
    return next(iter(editions.drafts.values()), None)


def _queue_batch(subscriber_id: int, draft: Edition) -> bool:
    """Add the reader to the welcome mailing, in one transaction; False if they can't be added."""
    mailing = Mailing.objects.select_for_update().get(pk=draft.mailing_id)
    if mailing.state not in {Mailing.State.SENDING, Mailing.State.FINISHED}:
        return False
    if not ledger.add_recipients(mailing.release_id, mailing.pk, [subscriber_id]):
        return False
    edition = mailing.editions.filter(key=draft.key).first()
    if edition is None:
        draft.save()
        edition = draft
    batch = snapshot.new_batch(edition, [subscriber_id], due_at=protocol.database_now())
    batch.save()
    Mailing.objects.filter(pk=mailing.pk).update(
        state=Mailing.State.SENDING,
        finished_at=None,
        readers=F("readers") + 1,
        checksum=((mailing.checksum or 0) + checksum([subscriber_id])) % MODULUS,
    )
    transaction.on_commit(lambda: wake("delivery.send", batch.pk))
    return True
