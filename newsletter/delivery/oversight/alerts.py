"""Tell people about failures (E9): by email, through ALERT_URLS, and on the desk.

Each tick compares what is wrong now with the alerts that are open. A new failure opens an alert,
one that is gone resolves it, and each is told once per channel. An email that can't be sent, for
instance because the relay itself is the failure, is tried again with every tick, so it arrives
once the relay is back, even if that ended the failure; ALERT_URLS reach people in the meantime.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone, translation

from newsletter.delivery.message_ids import ALERT, delivery_id_factory
from newsletter.delivery.models import Alert, AlertRecipient
from newsletter.delivery.oversight import alert_texts, kill_switch
from newsletter.delivery.oversight.problems import Problem, find_problems
from newsletter.delivery.sending.to_staff import hand_over
from newsletter.editorial.models import Issue, Newsletter, User
from newsletter.lib.queue import wake
from newsletter.transport.outcomes import Email, Recipient

log = logging.getLogger(__name__)
STILL_TOLD = timedelta(days=1)
"""How long after its end people are told of a failure that they couldn't be told of before."""


def watch() -> int:
    """Find failures, and have people told about those they don't know of; return how many are new.

    A channel that fails is tried again with the next tick.
    """
    opened, _resolved = reconcile(find_problems())
    untold = Q(emailed_at=None) | Q(pushed_at=None) if settings.ALERT_URLS else Q(emailed_at=None)
    if _to_tell().filter(untold).exists():
        wake("delivery.tell_staff")
    return opened


def watch_now(**_signal: object) -> None:
    """Receive newsletter.delivery.signals.alert."""
    watch()


def tell() -> int:
    """Tell people through each channel; return how many alerts reached somebody."""
    return push_new() + email_new()


def open_alerts() -> QuerySet[Alert]:
    """Return the alerts about what is wrong now, the latest first."""
    return Alert.objects.filter(resolved_at=None).order_by("-raised_at")


def _to_tell() -> QuerySet[Alert]:
    """Return the alerts that people should know of, the latest first."""
    lately = Q(resolved_at=None) | Q(resolved_at__gt=Now() - STILL_TOLD)
    return Alert.objects.filter(lately).order_by("-raised_at")


def reconcile(problems: Iterable[Problem]) -> tuple[int, int]:
    """Open an alert for each new problem and resolve those that are gone; return the numbers."""
    current = {(problem.kind.value, problem.subject): problem for problem in problems}
    known = {(alert.kind, alert.subject): alert for alert in open_alerts()}
    gone = [alert.pk for key, alert in known.items() if key not in current]
    resolved = Alert.objects.filter(pk__in=gone, resolved_at=None).update(resolved_at=Now())
    opened = sum(_open(problem) for key, problem in current.items() if key not in known)
    return opened, resolved


def _open(problem: Problem) -> bool:
    try:
        with transaction.atomic():
            Alert.objects.create(
                kind=problem.kind,
                subject=problem.subject,
                mailing_id=problem.mailing_id,
                facts=problem.facts,
                raised_at=timezone.now(),
            )
    except IntegrityError:
        return False  # another worker's tick opened it
    log.error("alert", extra={"kind": problem.kind.value, "subject": problem.subject})
    return True


def email_new() -> int:
    """Email staff about the alerts that they weren't told of; return how many were."""
    if kill_switch.is_engaged():
        return 0  # nothing is sent at all
    recipients = list(
        AlertRecipient.objects.select_related("user")
        .filter(user__is_active=True)
        .exclude(user__email="")
    )
    new = _to_tell().filter(emailed_at=None)
    if not new.exists():
        return 0
    sender = Newsletter.objects.order_by("pk").values_list("sender_address", flat=True).first()
    if sender is None:
        return 0
    told = 0
    for alert in new:
        # One who can't be reached doesn't keep the others from being told.
        addressed = [*recipients, *_concerned(alert, recipients)]
        reached = [_email(alert, recipient, sender) for recipient in addressed]
        if any(reached):
            told += Alert.objects.filter(pk=alert.pk, emailed_at=None).update(emailed_at=Now())
    return told


def _concerned(alert: Alert, recipients: list[AlertRecipient]) -> list[AlertRecipient]:
    """Return whom the alert concerns, unless they are among the recipients: whose approval was
    withdrawn, or whose password somebody is guessing."""
    user = None
    if alert.kind == Alert.Kind.APPROVAL:
        issue = Issue.objects.select_related("withdrawn_from").filter(pk=alert.facts["issue"])
        user = found.withdrawn_from if (found := issue.first()) else None
    elif alert.kind == Alert.Kind.PASSWORDS:
        user = User.objects.filter(pk=alert.facts["user"]).first()
    if user is None or not (user.is_active and user.email):
        return []
    if any(recipient.user_id == user.pk for recipient in recipients):
        return []
    return [AlertRecipient(user=user, language=settings.LANGUAGE_CODE)]


def _email(alert: Alert, recipient: AlertRecipient, sender: str) -> bool:
    """Return whether any transport took the email."""
    with translation.override(recipient.language):
        written = alert_texts.write(alert)
    email = Email(
        from_name=written.sender,
        from_address=sender,
        subject=written.subject,
        text=written.text,
        headers=(("Auto-Submitted", "auto-generated"), ("Content-Language", recipient.language)),
    )
    to = Recipient(
        position=0,
        address=recipient.user.email,
        delivery_id=delivery_id_factory(ALERT, alert.pk)(recipient.user_id),
        urls={},
    )
    return bool(hand_over(email, to, {"alert": alert.pk}))


def push_new() -> int:
    """Notify ALERT_URLS of the alerts that they weren't notified of; return how many."""
    new = list(_to_tell().filter(pushed_at=None)) if settings.ALERT_URLS else []
    if not new:
        return 0
    # An optional dependency, imported only where it is needed: it takes 20 MB.
    import apprise

    service = apprise.Apprise()
    for url in settings.ALERT_URLS:
        service.add(url)
    told = 0
    for alert in new:
        with translation.override(settings.LANGUAGE_CODE):
            written = alert_texts.write(alert)
        if service.notify(title=written.subject, body=written.text):
            told += Alert.objects.filter(pk=alert.pk, pushed_at=None).update(pushed_at=Now())
        else:
            log.warning("alert-not-pushed", extra={"alert": alert.pk})
    return told
