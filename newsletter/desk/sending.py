"""Approve an issue, withdraw the approval, send the issue now."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from newsletter.delivery.models import Mailing
from newsletter.delivery.planning.approved import approve_for_sending
from newsletter.delivery.planning.start import CannotSendError, send_now
from newsletter.desk.access.roles import SEND
from newsletter.desk.access.rows import get_issue, may
from newsletter.desk.approvals import changes_no_issue
from newsletter.desk.issue_page import page
from newsletter.desk.issue_page.saving import Saved, save_edits
from newsletter.desk.issue_page.values import token
from newsletter.desk.mailing_weight import ChainWeight, chain_weights, without_repetition
from newsletter.desk.view_helpers import log_action, permission_required, render_page, user_of
from newsletter.editorial import approval, checks, workflow
from newsletter.editorial.models import Issue, Newsletter
from newsletter.lib.languages import language_name_in


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


@changes_no_issue
@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(SEND)
def send(request: HttpRequest, issue_id: int) -> HttpResponse:
    """Ask for confirmation on GET, with the number of readers; approve and send on POST."""
    issue = get_issue(request, issue_id, SEND)
    problems = checks.find_problems(issue, at=timezone.now())
    weights = chain_weights(issue)
    problems = _with_weight_problems(problems, weights)
    if request.method == "POST" and not checks.has_blocker(problems):
        if request.POST.get("token") != token(issue):
            messages.error(
                request,
                _("Nothing was sent, because the issue has changed since you opened the page.")
                + " "
                + _("Look at it again."),
            )
            return redirect(request.path)
        return _send(request, issue)
    return render_page(
        request,
        "desk/send.html",
        title=_("Send now: %(issue)s") % {"issue": issue},
        issue=issue,
        token=token(issue),
        problems=problems,
        is_blocked=checks.has_blocker(problems),
        weights=weights,
        total=sum(weight.readers for weight in weights),
        bytes_in_all=sum(weight.total for weight in weights),
        audiences=_audience_choices(issue.newsletter),
        existing_mailing=Mailing.objects.filter(release__issue=issue).exclude(state="held").first(),
    )


def _with_weight_problems(
    problems: list[checks.Problem], weights: list[ChainWeight]
) -> list[checks.Problem]:
    """Return the problems with what rendering the emails has shown, blocking problems first."""
    found = [*problems, *without_repetition(weights, problems)]
    return sorted(found, key=lambda problem: problem.severity)


def _audience_choices(newsletter: Newsletter) -> list[tuple[str, str]]:
    """Return the audiences to choose from as (first language, label).

    The language is empty for all readers. Readers left out now can be sent to later.
    """
    all_readers = [("", _("all readers who haven’t got it yet"))]
    return all_readers + [
        (
            code,
            _("readers whose first language is %(language)s")
            % {"language": language_name_in(code, get_language() or code)},
        )
        for code in newsletter.languages
    ]


def _send(request: HttpRequest, issue: Issue) -> HttpResponse:
    first_language = request.POST.get("first_language", "")
    if first_language and first_language not in issue.newsletter.languages:
        # The language was removed after the page was opened. Don't fall back to all readers.
        messages.error(request, _("The newsletter isn’t available in this language."))
        return _redirect_to_issue(issue)
    # The send page shows the same problems as approving does, so sending approves, too.
    try:
        approve_for_sending(issue, by=user_of(request))
        mailing = send_now(issue, by=user_of(request), first_language=first_language)
    except (CannotSendError, workflow.OwnTextError) as error:
        messages.error(request, _("Nothing was sent. %(problem)s") % {"problem": error})
        return _redirect_to_issue(issue)
    log_action(request, issue, _("Sent."))
    return redirect("admin:delivery_mailing_change", mailing.pk)


def _redirect_to_issue(issue: Issue) -> HttpResponse:
    return redirect("admin:editorial_issue_change", issue.pk)
