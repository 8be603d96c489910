"""What a change at the desk does to approvals (I2).

Each POST to the desk runs in a transaction that makes other changes wait, so that it is certain who
changed what. If it changed an approved issue that wasn't sent yet, the approval covers the change
if that person may approve, and is withdrawn if not. Sending compares once more
(newsletter.delivery.planning.approved), so a change by other means is never sent unapproved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

from django.contrib import messages
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from newsletter.delivery.models import Mailing
from newsletter.delivery.signals import alert
from newsletter.desk.access.roles import SEND
from newsletter.desk.view_helpers import log_action, user_of
from newsletter.editorial import approval, workflow
from newsletter.editorial.models import Issue, Newsletter

WATCHED_DAYS = 28
"""An issue that ended earlier and was never sent isn't compared after each change: an imported
archive has hundreds. Sending it compares it all the same."""

V = TypeVar("V", bound=Callable[..., HttpResponseBase])


def changes_no_issue(view: V) -> V:
    """Mark a view whose POST changes nothing that an issue consists of, or that approves itself."""
    view.changes_no_issue = True  # type: ignore[attr-defined]
    return view


@contextmanager
def watched(request: HttpRequest, view: Callable[..., Any]) -> Iterator[None]:
    """Run the view's POST, and then look what it means for the approvals."""
    is_staff = request.user.is_authenticated and request.user.is_staff
    if request.method != "POST" or not is_staff or getattr(view, "changes_no_issue", False):
        yield
        return
    with transaction.atomic():
        # One change at a time. Locked by ID, as in any other place that locks several.
        list(Newsletter.objects.select_for_update().order_by("pk").values_list("pk"))
        for issue in _watched_issues():
            if not approval.holds(issue):
                workflow.withdraw_after_change(issue, by=None)
        yield
        for issue in _watched_issues():
            if review(request, issue):
                text = _("The approval of %(issue)s was withdrawn, because you have changed it.")
                messages.warning(request, text % {"issue": issue})


def review(request: HttpRequest, issue: Issue) -> bool:
    """Extend or withdraw the approval if the issue has changed; return whether it is withdrawn."""
    if not issue.is_approved or is_sent(issue):
        return False
    digest = approval.current_digest(issue)
    if digest == issue.approved_digest:
        return False
    if _may_cover(request, issue):
        workflow.approve_change(issue, digest)
        log_action(request, issue, _("Changed after the approval, which covers the change."))
        return False
    workflow.withdraw_after_change(issue, by=user_of(request))
    log_action(request, issue, _("Approval withdrawn.") + " " + _("The issue has changed."))
    # The approver hears of it now, not with the next tick.
    transaction.on_commit(lambda: alert.send(sender=None))
    return True


def _may_cover(request: HttpRequest, issue: Issue) -> bool:
    """Return whether this person's change may stay approved: they could approve it themselves."""
    if not user_of(request).has_perm(SEND, issue):
        return False
    try:
        workflow.check_second_person(issue, user_of(request))
    except workflow.OwnTextError:
        return False
    return True


def is_sent(issue: Issue) -> bool:
    """Return whether a mailing of the issue has been decided on, so that an approval is history."""
    return Mailing.objects.filter(release__issue=issue, snapshot_at__isnull=False).exists()


def _watched_issues() -> list[Issue]:
    """Return the approved issues that will be sent."""
    mailings = Mailing.objects.filter(release__issue=OuterRef("pk"))
    waiting = mailings.filter(
        state__in=[Mailing.State.HELD, Mailing.State.SCHEDULED, Mailing.State.PREPARING]
    )
    recent = Q(ends_on__gte=timezone.localdate() - timedelta(days=WATCHED_DAYS))
    return list(
        Issue.objects.filter(recent | Exists(waiting), state=Issue.State.APPROVED)
        .exclude(Exists(mailings.filter(snapshot_at__isnull=False)))
        .exclude(kind=Issue.Kind.BREAK)
        .select_related("newsletter", "approved_by")
    )
