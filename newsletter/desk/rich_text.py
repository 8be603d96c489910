"""Clean what is pasted into the rich-text editor, and tell editors what could not be kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from newsletter.desk.approvals import changes_no_issue
from newsletter.desk.fields import dropped_from
from newsletter.editorial.cleaning import clean


@changes_no_issue
@require_POST
def clean_pasted(request: HttpRequest) -> JsonResponse:
    """Return the posted `html` as `{"html": clean HTML, "messages": what could not be kept}`."""
    cleaned = clean(request.POST.get("html", ""))
    return JsonResponse({"html": cleaned.html, "messages": cleaned.messages})


def report_dropped(request: HttpRequest, saved: Iterable[forms.BaseForm]) -> None:
    """Show a warning for each thing that was removed from the texts of the saved forms."""
    for form in saved:
        for label, dropped in dropped_from(form):
            messages.warning(request, _message(form, label, str(dropped)))


def _message(form: Any, label: str, reason: str) -> str:
    language = str(getattr(form.instance, "language", "")).upper()
    return _("%(field)s, %(language)s: %(reason)s") % {
        "field": label,
        "language": language,
        "reason": reason,
    }
