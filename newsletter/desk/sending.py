"""Approve an issue, and withdraw the approval."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from newsletter.desk.access.roles import SEND
from newsletter.desk.access.rows import get_issue, may
from newsletter.desk.approvals import changes_no_issue
from newsletter.desk.issue_page import page
from newsletter.desk.issue_page.saving import Saved, save_edits
from newsletter.desk.issue_page.values import token
from newsletter.desk.view_helpers import log_action, permission_required, user_of
from newsletter.editorial import approval, checks, workflow
from newsletter.editorial.models import Issue


@changes_no_issue
@require_POST
@permission_required(SEND)
@transaction.atomic
def approve(request: HttpRequest, issue_id: int) -> HttpResponse:
    """Save the page's edits, then approve what the page showed, with them. Not what came since."""
    issue = get_issue(request, issue_id, SEND)
    is_current = request.POST.get("token") == token(issue)
    saved = _save_first(request, issue)
    if saved and not saved.is_stored:
        return page.show(request, issue, saved)
    issue.refresh_from_db()
    problems = checks.find_problems(issue)
    if checks.has_blocker(problems):
        messages.error(
            request, _("The issue was not approved. %(problem)s") % {"problem": problems[0].text}
        )
    elif not is_current:
        messages.error(
            request,
            _("The issue was not approved, because it has changed since you opened the page.")
            + " "
            + _("Look at it again."),
        )
    elif not approval.holds(issue):
        _approve(request, issue)
    return _redirect_to_issue(issue)


def _approve(request: HttpRequest, issue: Issue) -> None:
    try:
        workflow.approve(issue, by=user_of(request))
    except workflow.OwnTextError as error:
        messages.error(request, _("The issue was not approved. %(problem)s") % {"problem": error})
        return
    log_action(request, issue, _("Approved."))
    messages.success(request, _("The issue has been approved."))


@changes_no_issue
@require_POST
@permission_required(SEND)
def withdraw(request: HttpRequest, issue_id: int) -> HttpResponse:
    """Withdraw the approval, whatever becomes of the page's edits, and then save those."""
    issue = get_issue(request, issue_id, SEND)
    if issue.is_approved:
        workflow.withdraw_approval(issue)
        log_action(request, issue, _("Approval withdrawn."))
        messages.success(request, _("Approval has been withdrawn."))
    saved = _save_first(request, issue)
    if saved and not saved.is_stored:
        return page.show(request, issue, saved)
    return _redirect_to_issue(issue)


def _save_first(request: HttpRequest, issue: Issue) -> Saved | None:
    """Save the edits of the issue's page, and say so; None if the post contains none."""
    if "base" not in request.POST or not may(request, page.CHANGE, issue):
        return None
    saved = save_edits(request, issue.pk)
    page.tell(request, saved)
    return saved


def _redirect_to_issue(issue: Issue) -> HttpResponse:
    return redirect("admin:editorial_issue_change", issue.pk)
