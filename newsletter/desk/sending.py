"""Approve an issue, withdraw the approval, send the issue now."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from newsletter.delivery.models import Mailing
from newsletter.delivery.planning.approved import approve_for_sending
from newsletter.delivery.planning.reach import remaining_readers, with_first_language
from newsletter.delivery.planning.start import CannotSendError, send_now
from newsletter.delivery.sending.transports import configured
from newsletter.desk.access.roles import SEND
from newsletter.desk.access.rows import get_issue, may
from newsletter.desk.approvals import changes_no_issue
from newsletter.desk.issue_page import page
from newsletter.desk.issue_page.saving import Saved, save_edits
from newsletter.desk.issue_page.values import token
from newsletter.desk.mailing_weight import ChainWeight, chain_weights, without_repetition
from newsletter.desk.view_helpers import log_action, permission_required, render_page, user_of
from newsletter.editorial import approval, checks, workflow
from newsletter.editorial.models import Issue
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
    """Ask who gets it; show what that means (`?step=check`); approve and send on POST."""
    issue = get_issue(request, issue_id, SEND)
    readers = remaining_readers(issue)
    weights = chain_weights(issue, readers)
    problems = _with_weight_problems(checks.find_problems(issue, at=timezone.now()), weights)
    is_blocked = checks.has_blocker(problems)
    if request.method == "POST" and not is_blocked:
        if request.POST.get("token") != token(issue):
            messages.error(
                request,
                _("Nothing was sent, because the issue has changed since you opened the page.")
                + " "
                + _("Look at it again."),
            )
            return redirect(request.path)
        return _send(request, issue)
    audiences = _audience_choices(issue, readers)
    context = {
        "issue": issue,
        "problems": problems,
        "is_blocked": is_blocked,
        "weights": weights,
        "total": readers.total(),
        "bytes_in_all": sum(weight.total for weight in weights),
        "audiences": audiences,
        "existing_mailing": _mailings(issue).first(),
        "went_to_all": _mailings(issue).filter(audience=Mailing.Audience.ALL).exists(),
    }
    wanted = request.GET.get("first_language", "")
    chosen = next((each for each in audiences if each.language == wanted), None)
    if request.GET.get("step") == "check" and chosen and chosen.readers and not is_blocked:
        return _ask(request, issue, chosen, context)
    title = _("Send: %(issue)s") % {"issue": issue}
    return render_page(request, "desk/send.html", title=title, **context)


@dataclass(frozen=True)
class AudienceChoice:
    """Who gets the issue: everyone, or one language first."""

    language: str
    """Empty for everyone."""
    label: str
    readers: int
    """How many of them haven't got it yet."""


def _mailings(issue: Issue) -> QuerySet[Mailing]:
    return Mailing.objects.filter(release__issue=issue).exclude(state=Mailing.State.HELD)


def _ask(
    request: HttpRequest, issue: Issue, chosen: AudienceChoice, context: dict[str, Any]
) -> HttpResponse:
    """Show in full what is about to happen, with the one button that does it."""
    newsletter = issue.newsletter
    return render_page(
        request,
        "desk/send_check.html",
        title=_("Check before sending"),
        chosen=chosen,
        token=token(issue),
        subjects=_subjects(context["weights"]),
        senders=sorted({newsletter.sender_name_in(code) for code in newsletter.languages}),
        transports=[transport.name for transport in configured()],
        holds=approval.holds(issue),
        **context,
    )


def _subjects(weights: list[ChainWeight]) -> list[tuple[str, str]]:
    """Return (language, subject) of the emails that were rendered, each once."""
    return list(dict.fromkeys((each.language, each.subject) for each in weights if each.subject))


def _with_weight_problems(
    problems: list[checks.Problem], weights: list[ChainWeight]
) -> list[checks.Problem]:
    """Return the problems with what rendering the emails has shown, blocking problems first."""
    found = [*problems, *without_repetition(weights, problems)]
    return sorted(found, key=lambda problem: problem.severity)


def _audience_choices(issue: Issue, readers: Counter[tuple[str, ...]]) -> list[AudienceChoice]:
    """Return who can be chosen. Readers left out now can be sent to later."""
    choices = [AudienceChoice("", _("Everyone who hasn’t got it yet"), readers.total())]
    languages = issue.newsletter.languages
    for code in languages if len(languages) > 1 else []:
        name = language_name_in(code, get_language() or code)
        label = _("Only readers whose first language is %(language)s") % {"language": name}
        choices.append(AudienceChoice(code, label, with_first_language(readers, code)))
    return choices


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
