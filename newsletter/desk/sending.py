"""Approve an issue, withdraw the approval, send the issue now."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from newsletter.delivery.models import Mailing
from newsletter.delivery.planning.start import CannotSendError, send_now
from newsletter.desk.dashboard import readers_by_chain
from newsletter.desk.groups import SEND
from newsletter.desk.view_helpers import log_action, permission_required, render_page, user_of
from newsletter.editorial import checks, workflow
from newsletter.editorial.models import Issue, Newsletter
from newsletter.lib.languages import language_name_in


@require_POST
@permission_required(SEND)
def approve(request: HttpRequest, issue_id: int) -> HttpResponse:
    issue = get_object_or_404(Issue, pk=issue_id)
    approve_as_seen(request, issue)
    return _redirect_to_issue(issue)


def approve_as_seen(request: HttpRequest, issue: Issue) -> None:
    """Approve the issue, unless a check fails or its texts have changed since the page was opened.

    The page sends the `content_mark` that it was opened with as `seen`.
    """
    problems = checks.find_problems(issue)
    if request.POST.get("seen", "") not in {"", workflow.content_mark(issue)}:
        messages.error(
            request,
            _(
                "The issue was not approved: its articles have changed since you opened this page. "
                "Look at it again."
            ),
        )
    elif checks.has_blocker(problems):
        messages.error(
            request, _("The issue was not approved. %(problem)s") % {"problem": problems[0].text}
        )
    elif not issue.is_approved:
        workflow.approve(issue, by=user_of(request))
        log_action(request, issue, _("Approved."))
        messages.success(request, _("The issue has been approved."))


@require_POST
@permission_required(SEND)
def withdraw(request: HttpRequest, issue_id: int) -> HttpResponse:
    issue = get_object_or_404(Issue, pk=issue_id)
    withdraw_approval(request, issue)
    return _redirect_to_issue(issue)


def withdraw_approval(request: HttpRequest, issue: Issue) -> None:
    if issue.is_approved:
        workflow.withdraw_approval(issue)
        log_action(request, issue, _("Approval withdrawn."))
        messages.success(request, _("Approval has been withdrawn."))


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(SEND)
def send(request: HttpRequest, issue_id: int) -> HttpResponse:
    """Ask for confirmation on GET, with the number of readers; approve and send on POST."""
    issue = get_object_or_404(Issue.objects.select_related("newsletter"), pk=issue_id)
    problems = checks.find_problems(issue, at=timezone.now())
    if request.method == "POST" and not checks.has_blocker(problems):
        return _send(request, issue)
    readers = readers_by_chain(issue.newsletter)
    return render_page(
        request,
        "desk/send.html",
        title=_("Send now: %(issue)s") % {"issue": issue},
        issue=issue,
        problems=problems,
        is_blocked=checks.has_blocker(problems),
        readers=readers,
        total=sum(count for _name, count in readers),
        audiences=_audience_choices(issue.newsletter),
        existing_mailing=Mailing.objects.filter(release__issue=issue).exclude(state="held").first(),
    )


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
    if not issue.is_approved:
        workflow.approve(issue, by=user_of(request))
    try:
        mailing = send_now(issue, by=user_of(request), first_language=first_language)
    except CannotSendError as error:
        messages.error(request, str(error))
        return _redirect_to_issue(issue)
    log_action(request, issue, _("Sent."))
    return redirect("admin:delivery_mailing_change", mailing.pk)


def _redirect_to_issue(issue: Issue) -> HttpResponse:
    return redirect("admin:editorial_issue_change", issue.pk)
