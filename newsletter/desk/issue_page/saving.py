"""Save what the issue's page posts, merged with what others have stored in the meantime."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from newsletter.desk import approvals
from newsletter.desk.issue_page.forms import IssueForm
from newsletter.desk.issue_page.values import (
    Conflict,
    current_values,
    merge,
    parse_base,
    posted_values,
    token,
)
from newsletter.desk.view_helpers import log_action
from newsletter.editorial.cleaning import clean
from newsletter.editorial.models import Issue


class Outcome(Enum):
    SAVED = "saved"
    UNCHANGED = "unchanged"
    CONFLICT = "conflict"
    """Somebody changed the same field. Nothing was saved."""
    INVALID = "invalid"


@dataclass
class Saved:
    """What became of a post of the page."""

    outcome: Outcome
    form: IssueForm
    is_current: bool
    """Whether the issue was what the page showed, before this save."""
    conflicts: list[Conflict] = field(default_factory=list)
    theirs: list[str] = field(default_factory=list)
    """Labels of the fields that others changed, and that keep their new values."""
    withdrawn: bool = False
    """Whether the save withdrew the issue's approval."""
    dropped: list[str] = field(default_factory=list)
    """What the introductions contained and could not be kept, as sentences."""

    @property
    def is_stored(self) -> bool:
        return self.outcome in {Outcome.SAVED, Outcome.UNCHANGED}


@transaction.atomic
def save_edits(request: HttpRequest, issue_id: int) -> Saved:
    """Save the page's edits unless someone else has changed the same fields. Sets no messages."""
    issue = locked(issue_id)
    current = current_values(issue)
    is_current = request.POST.get("token") == token(issue)
    base = parse_base(request.POST.get("base", ""))
    merged = merge(base, current, posted_values(request.POST.dict(), base, current))
    form = IssueForm(merged.values, instance=issue, values=current)
    theirs = [str(form.fields[name].label) for name in merged.theirs]
    if merged.conflicts:
        form.is_valid()
        return Saved(Outcome.CONFLICT, form, is_current, merged.conflicts, theirs)
    if not form.is_valid():
        return Saved(Outcome.INVALID, form, is_current, theirs=theirs)
    changed = {name for name, value in merged.values.items() if value != current[name]}
    if not changed:
        return Saved(Outcome.UNCHANGED, form, is_current, theirs=theirs)
    form.save_all(changed)
    labels = [str(form.fields[name].label) for name in form.fields if name in changed]
    log_action(request, issue, _("Changed: %(fields)s.") % {"fields": ", ".join(labels)})
    return Saved(
        Outcome.SAVED,
        form,
        is_current,
        theirs=theirs,
        withdrawn=content_changed(request, issue) if changed != {"note"} else False,
        dropped=_dropped(request, form, changed),
    )


def _dropped(request: HttpRequest, form: IssueForm, changed: set[str]) -> list[str]:
    """Return what was removed from the introductions. What was merged is clean already, so this
    looks at what was posted."""
    return [
        _("%(field)s: %(reason)s") % {"field": form.fields[name].label, "reason": reason}
        for name in form.fields
        if name in changed and name.startswith("introduction_")
        for reason in clean(request.POST.get(name, "")).messages
    ]


def locked(issue_id: int) -> Issue:
    """Return the issue, which nobody else can change until the transaction ends."""
    rows = Issue.objects.select_for_update(of=("self",)).select_related("newsletter")
    return rows.get(pk=issue_id)


def content_changed(request: HttpRequest, issue: Issue) -> bool:
    """Return whether the change withdraws the approval (I2).

    The desk looks at each approval after every POST. This is for pages that say so at once.
    """
    issue.refresh_from_db()
    return approvals.review(request, issue)


def last_change(issue: Issue) -> tuple[str, datetime] | None:
    """Return who changed the issue last at the desk, and when."""
    kind = ContentType.objects.get_for_model(Issue)
    rows = LogEntry.objects.filter(content_type=kind, object_id=str(issue.pk))
    entry = rows.select_related("user").order_by("-action_time", "-pk").first()
    return (name_of(entry), entry.action_time) if entry else None


def name_of(entry: LogEntry) -> str:
    """Return the full or the user name of who did it."""
    return str(entry.user.get_full_name() or entry.user.get_username())
