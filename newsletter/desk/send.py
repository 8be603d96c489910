"""Send an issue: choose who gets it and when, check a summary, then send or schedule it.

The address of the second page holds the choice, and its form posts to the same address with a token
of everything that the page showed. If any of it is different by then, nothing is sent.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from newsletter.delivery.models import Mailing
from newsletter.delivery.planning import start
from newsletter.delivery.planning.approved import approve_for_sending
from newsletter.delivery.planning.readers import ReaderCounts, count_readers
from newsletter.delivery.planning.snapshot import Audience
from newsletter.delivery.sending import transports
from newsletter.desk.access.roles import SEND
from newsletter.desk.access.rows import get_issue
from newsletter.desk.approvals import changes_no_issue
from newsletter.desk.issue_mailings import mailings_of
from newsletter.desk.issue_page.values import token as issue_token
from newsletter.desk.mailing_weight import ChainWeight, chain_weights, without_repetition
from newsletter.desk.send_choice import (
    Choice,
    When,
    is_waiting,
    mailing_of,
    read_choice,
    who_label,
    who_options,
)
from newsletter.desk.view_helpers import log_action, permission_required, render_page, user_of
from newsletter.editorial import approval, checks, workflow
from newsletter.editorial.models import Issue
from newsletter.editorial.workflow import scheduled_send_time


@changes_no_issue
@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(SEND)
def send(request: HttpRequest, issue_id: int) -> HttpResponse:
    """Show the choices, or the summary if the address holds a choice; send or schedule on POST."""
    issue = get_issue(request, issue_id, SEND)
    now = timezone.now()
    choice = read_choice(request.GET.dict(), issue, now=now)
    if request.method == "POST" and (started := _already_started(request, issue, choice)):
        return started
    counts = count_readers(issue)
    weights = chain_weights(issue, counts.chains(choice.first_language))
    at = choice.at or now
    if "when" not in request.GET:  # nothing is chosen yet, and the schedule comes first
        at = max(scheduled_send_time(issue) or now, now)
    problems = _problems(issue, weights, at)
    if checks.has_blocker(problems):
        return _choices(request, issue, choice, counts, weights, problems)
    token = _token(issue, choice, counts)
    if request.method == "POST":
        if choice.error or request.POST.get("token") != token:
            messages.error(
                request,
                _("Nothing was sent, because the issue has changed since you opened the page.")
                + " "
                + _("Or the number of readers or the mailing has.")
                + " "
                + _("Look at it again."),
            )
            return redirect(request.get_full_path())
        return _start(request, issue, choice)
    # “Back” keeps what was chosen.
    if "when" not in request.GET or "change" in request.GET or choice.error:
        return _choices(request, issue, choice, counts, weights, problems)
    return _summary(request, issue, choice, counts, weights, problems, token)


def _problems(issue: Issue, weights: list[ChainWeight], at: datetime) -> list[checks.Problem]:
    """Return the problems at that time, and what rendering the emails has shown, blockers first."""
    problems = checks.find_problems(issue, at=at)
    problems += without_repetition(weights, problems)
    return sorted(problems, key=lambda problem: problem.severity)


def _token(issue: Issue, choice: Choice, counts: ReaderCounts) -> str:
    """Return a name for all that the summary says."""
    mailing = mailing_of(issue, choice.who)
    waiting = (mailing.state, mailing.send_at) if mailing else None
    shown = [issue_token(issue), choice, counts.of(choice.who), waiting]
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:32]


def _choices(
    request: HttpRequest,
    issue: Issue,
    choice: Choice,
    counts: ReaderCounts,
    weights: list[ChainWeight],
    problems: list[checks.Problem],
) -> HttpResponse:
    now, scheduled_at = timezone.now(), scheduled_send_time(issue)
    if scheduled_at is not None and scheduled_at <= now:
        scheduled_at = None
    options = who_options(issue, counts)
    allowed = [option.value for option in options if not option.why_not]
    picked = choice.who if choice.who in allowed else next(iter(allowed), None)
    return render_page(
        request,
        "desk/send.html",
        title=_("Send this issue"),
        issue=issue,
        holds=approval.holds(issue),
        problems=problems,
        is_blocked=checks.has_blocker(problems),
        error=choice.error if "when" in request.GET else "",
        options=options,
        who=picked,
        when=choice.when or (When.ON_SCHEDULE if scheduled_at else When.NOW),
        date=request.GET.get("date", ""),
        time=request.GET.get("time", ""),
        scheduled_at=scheduled_at,
        now=now,
        zone=issue.newsletter.timezone,
        weights=weights,
        total=sum(weight.readers for weight in weights),
        bytes_in_all=sum(weight.total for weight in weights),
        nothing_for=counts.empty,
        mailings=mailings_of(issue),
    )


def _summary(
    request: HttpRequest,
    issue: Issue,
    choice: Choice,
    counts: ReaderCounts,
    weights: list[ChainWeight],
    problems: list[checks.Problem],
    token: str,
) -> HttpResponse:
    newsletter = issue.newsletter
    subjects = {weight.language: weight.subject for weight in weights if weight.subject}
    return render_page(
        request,
        "desk/send_check.html",
        title=_("Check before sending"),
        issue=issue,
        token=token,
        choice=choice,
        query=request.GET.urlencode(),
        who=who_label(choice.who),
        reader_count=counts.of(choice.who),
        at=choice.at,
        now=timezone.now(),
        zone=newsletter.timezone,
        subjects=list(subjects.items()),
        senders=list({newsletter.sender_name_in(code): None for code in newsletter.languages}),
        editions=counts.edition_count(choice.first_language),
        largest=max((weight.size or 0 for weight in weights), default=0),
        bytes_in_all=sum(weight.total for weight in weights),
        transports=[transport.name for transport in transports.configured()],
        holds=approval.holds(issue),
        warnings=problems,
    )


def _already_started(request: HttpRequest, issue: Issue, choice: Choice) -> HttpResponse | None:
    """Answer a second press, in another tab or by somebody else: it leads to the same mailing."""
    mailing = mailing_of(issue, choice.who)
    if mailing is None:
        return None
    is_same = mailing.state == Mailing.State.SCHEDULED and mailing.send_at == choice.at
    if is_waiting(mailing) and not is_same:
        return None
    by = mailing.started_by
    name = (by.get_full_name() or by.get_username()) if by else _("The schedule")
    messages.info(
        request,
        _("Nothing new was started: %(name)s has already done so. This is the same mailing.")
        % {"name": name},
    )
    return _to_mailing(mailing)


def _start(request: HttpRequest, issue: Issue, choice: Choice) -> HttpResponse:
    user, language = user_of(request), choice.first_language
    # The page shows the same problems as approving does, so sending approves, too.
    try:
        approve_for_sending(issue, by=user)
        if choice.who == Audience.UNREACHED:
            release = start.release_of(issue)
            mailing = start.send_again(release, Audience.UNREACHED, by=user)
        elif choice.at is None:
            mailing = start.send_now(issue, by=user, first_language=language)
        else:
            mailing = start.schedule(issue, choice.at, by=user, first_language=language)
    except (start.CannotSendError, workflow.OwnTextError) as error:
        messages.error(request, _("Nothing was sent. %(problem)s") % {"problem": error})
        return redirect("admin:editorial_issue_change", issue.pk)
    text = _("Sent: %(audience)s.") if choice.at is None else _("Scheduled: %(audience)s.")
    log_action(request, issue, text % {"audience": mailing.audience_label})
    return _to_mailing(mailing)


def _to_mailing(mailing: Mailing) -> HttpResponse:
    return redirect("admin:delivery_mailing_change", mailing.pk)
