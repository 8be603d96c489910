"""Keep the schedule from sending an issue until an editor says so, and end that."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from newsletter.delivery.models import Mailing
from newsletter.delivery.planning import start
from newsletter.desk.access.roles import SEND
from newsletter.desk.access.rows import get_issue
from newsletter.desk.approvals import changes_no_issue
from newsletter.desk.view_helpers import log_action, permission_required, render_page, user_of
from newsletter.editorial.models import Issue
from newsletter.editorial.workflow import scheduled_send_time


@changes_no_issue
@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(SEND)
def hold(request: HttpRequest, issue_id: int) -> HttpResponse:
    """Ask on GET; hold the issue's mailing to everyone on POST."""
    issue = get_issue(request, issue_id, SEND)
    if request.method != "POST":
        meaning = _(
            "The schedule won’t send this issue until you release it. You can still send it "
            "yourself at any time."
        )
        return _ask(request, issue, meaning, _("Hold this issue"))
    try:
        mailing = start.hold_by_hand(issue, by=user_of(request))
    except start.CannotSendError as error:
        messages.error(request, str(error))
        return _to_issue(issue)
    if mailing is None:
        messages.warning(request, _("The issue can’t be held: its mailing has already started."))
    else:
        log_action(request, issue, _("Held: the schedule doesn’t send it."))
        messages.success(request, _("The schedule won’t send this issue until you release it."))
    return _to_issue(issue)


@changes_no_issue
@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(SEND)
def release(request: HttpRequest, issue_id: int) -> HttpResponse:
    """Ask on GET; on POST let the schedule send the issue, unless its time has passed."""
    issue = get_issue(request, issue_id, SEND)
    at = scheduled_send_time(issue)
    is_ahead = at is not None and at > timezone.now()
    meaning = (
        _("The schedule sends it at its time if it is approved by then.")
        if is_ahead
        else _("Its time has passed, so nothing is sent until you send it yourself.")
    )
    if request.method != "POST":
        return _ask(request, issue, meaning, _("Release this issue"))
    held = Mailing.objects.filter(release__issue=issue, hold=Mailing.Hold.BY_HAND).first()
    if held is None or not start.release_hold(held, at=at if is_ahead else None):
        messages.info(request, _("The issue is not held."))
    else:
        log_action(request, issue, _("Released."))
        messages.success(request, meaning)
    return _to_issue(issue)


def _ask(request: HttpRequest, issue: Issue, meaning: str, label: str) -> HttpResponse:
    return render_page(
        request,
        "desk/confirm_action.html",
        title=f"{label}: {issue}",
        issue=issue,
        meaning=meaning,
        label=label,
    )


def _to_issue(issue: Issue) -> HttpResponse:
    return redirect("admin:editorial_issue_change", issue.pk)
