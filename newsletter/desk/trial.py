"""Test emails of an issue: to oneself or to colleagues, through the real transports."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from newsletter.delivery.models import TrialEmail
from newsletter.delivery.trial import outbox, trial_editions
from newsletter.desk.access.rows import VIEW_ISSUE, get_issue
from newsletter.desk.approvals import changes_no_issue
from newsletter.desk.dashboard import chain_name
from newsletter.desk.view_helpers import log_action, permission_required, render_page, user_of
from newsletter.digest.content import Length
from newsletter.editorial.models import Issue, User
from newsletter.lib.fields import split_chain
from newsletter.lib.languages import page_language
from subscribers.audience import Segment

SHOWN = 20
"""How many of the issue's test emails the page lists."""
ALL = "all"


@dataclass(frozen=True)
class TrialChoice:
    """An edition that can be tested. `value` is its place among the editions in use."""

    value: str
    segment: Segment
    readers: int

    @property
    def name(self) -> str:
        return chain_name(self.segment.languages)

    @property
    def details(self) -> str:
        """What else distinguishes it, in words."""
        length: Length = "full" if self.segment.content == "full" else "lead"
        words = [
            _("full text") if self.segment.content and length == "full" else "",
            _("text only") if self.segment.plain_text else "",
            _("discreet") if self.segment.discreet else "",
            _("without pictures") if not self.segment.pictures else "",
            _("chosen topics") if self.segment.topics is not None else "",
        ]
        return ", ".join(filter(None, words))


@changes_no_issue
@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(VIEW_ISSUE)
def test_emails(request: HttpRequest, issue_id: int) -> HttpResponse:
    """Show the editions, the colleagues and what became of earlier tests; send on POST."""
    issue = get_issue(request, issue_id)
    choices = [
        TrialChoice(str(number), segment, readers)
        for number, (segment, readers) in enumerate(trial_editions.distinct_segments(issue))
    ]
    if request.method == "POST":
        return _send(request, issue, choices)
    asked = split_chain(request.GET.get("chain", ""))
    selected = next((each.value for each in choices if each.segment.languages == asked), "0")
    return render_page(
        request,
        "desk/test_emails.html",
        title=_("Send a test: %(issue)s") % {"issue": issue},
        issue=issue,
        choices=choices,
        selected=selected,
        colleagues=colleagues(user_of(request)),
        tests=_recent(issue),
        has_open=_recent(issue, open_only=True).exists(),
        limit=outbox.TEST_EMAILS_AN_HOUR,
    )


def colleagues(user: User) -> list[User]:
    """Return the accounts with an email address, one's own first. Nobody else can get a test."""
    rows = User.objects.filter(is_active=True, is_staff=True).exclude(email="")
    return sorted(rows, key=lambda each: (each.pk != user.pk, each.get_full_name(), each.pk))


def _recent(issue: Issue, *, open_only: bool = False) -> QuerySet[TrialEmail]:
    rows = TrialEmail.objects.filter(issue=issue)
    if open_only:
        states = TrialEmail.State
        return rows.filter(Q(state=states.QUEUED) | Q(state=states.SENDING))
    return rows.select_related("user").order_by("-pk")[:SHOWN]


def _send(request: HttpRequest, issue: Issue, choices: list[TrialChoice]) -> HttpResponse:
    wanted = request.POST.get("edition", "")
    chosen = [each for each in choices if wanted in {ALL, each.value}]
    ids = {int(value) for value in request.POST.getlist("to") if value.isdecimal()}
    to = [each for each in colleagues(user_of(request)) if each.pk in ids]
    if not chosen:
        messages.error(request, _("Choose an edition. If there is none, no article is ready yet."))
    elif not to:
        messages.error(request, _("Choose at least one person who gets the test."))
    else:
        _queue(request, issue, [each.segment for each in chosen], to)
    return redirect(request.path)


def _queue(request: HttpRequest, issue: Issue, segments: list[Segment], to: list[User]) -> None:
    language = page_language(get_language() or "")
    try:
        queued = outbox.send_tests(issue, segments, to, by=user_of(request), language=language)
    except outbox.TooManyError:
        messages.error(
            request,
            _("Nothing was sent: one person can send %(limit)s test emails an hour.")
            % {"limit": outbox.TEST_EMAILS_AN_HOUR},
        )
        return
    count = len(queued)
    text = ngettext(
        "%(count)s test email is on its way.", "%(count)s test emails are on their way.", count
    )
    messages.success(request, text % {"count": count})
    log_action(
        request, issue, _("Sent a test to %(names)s.") % {"names": ", ".join(map(_name, to))}
    )


def _name(user: User) -> str:
    return str(user.get_full_name() or user.get_username())
