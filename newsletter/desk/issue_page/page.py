"""The issue's page: show it, save it, and go on to what the pressed button says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.forms import Media as FormMedia
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from js_asset import Media

from newsletter.desk import issue_mailings
from newsletter.desk.access.roles import SEND
from newsletter.desk.access.rows import may
from newsletter.desk.issue_page import order, rows
from newsletter.desk.issue_page.forms import SUBJECT_LENGTH, IssueForm, shown_value
from newsletter.desk.issue_page.saving import Outcome, Saved, last_change, save_edits
from newsletter.desk.issue_page.values import current_values, token
from newsletter.desk.view_helpers import render_page
from newsletter.editorial import checks, ordering, workflow
from newsletter.editorial.models import Issue

CHANGE = "editorial.change_issue"
NEXT_PAGES = {
    "preview": "admin:editorial_issue_preview",
    "test": "admin:editorial_issue_test",
    "send": "admin:editorial_issue_send",
    "add": "admin:editorial_issue_add_article",
}
"""Buttons that save the page and then open another one."""


@dataclass(frozen=True)
class Difference:
    """A conflict as the page shows it."""

    name: str
    label: str
    mine: str
    theirs: str


def change(request: HttpRequest, issue: Issue) -> HttpResponse:
    """Show the page on GET; on POST save it, and do what the pressed button says."""
    if request.method != "POST":
        return show(request, issue)
    if not may(request, CHANGE, issue):
        raise PermissionDenied
    saved = save_edits(request, issue.pk)
    tell(request, saved)
    if not saved.is_stored:
        return show(request, issue, saved)
    action, _colon, target = request.POST.get("action", "save").partition(":")
    if action in order.STEPS:
        order.act(request, issue, action, target)
    if action in NEXT_PAGES:
        return redirect(NEXT_PAGES[action], issue.pk)
    if action == "write":
        return redirect(order.new_article_url(issue, target))
    return redirect(_page_url(issue) + (f"#article-{target}" if target else ""))


def tell(request: HttpRequest, saved: Saved) -> None:
    """Say what became of the page's edits."""
    if saved.outcome == Outcome.CONFLICT:
        messages.error(
            request, _("Nothing was saved: someone else has changed the same. Both are below.")
        )
    elif saved.outcome == Outcome.INVALID:
        messages.error(request, _("Nothing was saved yet. Correct what is marked below."))
    elif saved.outcome == Outcome.SAVED:
        messages.success(request, _("Saved."))
    if saved.is_stored and saved.theirs:
        messages.warning(
            request,
            _("Changed by someone else since you opened the page, and kept: %(fields)s.")
            % {"fields": ", ".join(saved.theirs)},
        )
    for text in saved.dropped:
        messages.warning(request, text)
    if saved.withdrawn:
        messages.warning(request, _("The approval was withdrawn, because the issue has changed."))


def show(request: HttpRequest, issue: Issue, saved: Saved | None = None) -> HttpResponse:
    """Render the page. After a save that failed it holds what was typed; the status is 409 if
    someone else's save was in the way."""
    issue = Issue.objects.select_related("newsletter", "approved_by").get(pk=issue.pk)
    values = current_values(issue)
    form = saved.form if saved else IssueForm(instance=issue, values=values)
    articles = rows.article_rows(issue)
    is_weekly = issue.kind not in {Issue.Kind.BREAK, Issue.Kind.SPECIAL}
    response = render_page(
        request,
        "desk/issue/page.html",
        title=str(issue),
        issue=issue,
        form=form,
        base=json.dumps(values, ensure_ascii=False),
        token=token(issue),
        seen=order.joined(ordering.order_of(issue)),
        may_change=may(request, CHANGE, issue),
        may_send=may(request, SEND, issue),
        may_delete=may(request, "editorial.delete_issue", issue),
        may_write=may(request, "editorial.add_article", issue),
        articles=articles,
        empty_places=rows.empty_places(issue, form.topics, articles),
        trends=rows.trend_rows(issue, form) if is_weekly else [],
        subject_length=SUBJECT_LENGTH,
        problems=checks.find_problems(issue),
        scheduled_at=workflow.scheduled_send_time(issue),
        **issue_mailings.for_page(issue),
        log=rows.log_entries(issue),
        differences=_differences(saved) if saved else [],
        theirs=saved.theirs if saved else [],
        last_change=last_change(issue) if saved else None,
        media=_media(request, form.media),
    )
    if saved and saved.outcome == Outcome.CONFLICT:
        response.status_code = 409
    return response


def _differences(saved: Saved) -> list[Difference]:
    return [
        Difference(
            each.name,
            str(saved.form.fields[each.name].label),
            shown_value(saved.form, each.name, each.mine),
            shown_value(saved.form, each.name, each.theirs),
        )
        for each in saved.conflicts
    ]


def _media(request: HttpRequest, media: FormMedia) -> Any:
    """Return the editor's scripts with the nonce that the page's policy asks for."""
    return Media.from_media(media).with_nonce(str(request.csp_nonce))  # type: ignore[attr-defined]


def _page_url(issue: Issue) -> str:
    return reverse("admin:editorial_issue_change", args=[issue.pk])
