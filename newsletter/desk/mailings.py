"""A mailing's page: its progress, its editions, and the actions that editors can take."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Q, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from newsletter.delivery.models import Alert, Edition, Mailing, Release
from newsletter.delivery.oversight.alert_texts import failed_sentence, rates_sentence
from newsletter.delivery.oversight.explanations import explain_facts
from newsletter.delivery.oversight.pace import pace
from newsletter.delivery.oversight.report import (
    Report,
    deferred,
    failures,
    report,
    sent_by_transport,
    waiting_for_hour,
)
from newsletter.delivery.planning.start import CannotSendError
from newsletter.desk.access.roles import SEND
from newsletter.desk.access.rows import get_mailing, may
from newsletter.desk.alarms import current_alerts
from newsletter.desk.approvals import changes_no_issue
from newsletter.desk.labels import edition_label
from newsletter.desk.mailing_actions import ACTIONS, Action
from newsletter.desk.preview import email_frame_policy, load_embedded_images
from newsletter.desk.view_helpers import log_action, permission_required, render_page, user_of
from newsletter.lib.languages import direction

State = Mailing.State
Hold = Mailing.Hold
RUNNING = {State.PREPARING, State.SENDING}


@require_safe
@permission_required("delivery.view_mailing")
def show(request: HttpRequest, mailing_id: int) -> HttpResponse:
    mailing = get_mailing(request, mailing_id)
    may_send = may(request, SEND, mailing)
    counts = report(mailing)
    waiting, retried = waiting_for_hour(mailing), deferred(mailing)
    not_due = (waiting.readers if waiting else 0) + (retried.readers if retried else 0)
    editions = mailing.editions.defer("html", "text").annotate(
        readers=Sum("batches__size", filter=Q(batches__predecessor=None))
    )
    return render_page(
        request,
        "desk/mailing.html",
        title=_("Mailing: %(mailing)s") % {"mailing": mailing},
        mailing=mailing,
        issue=mailing.release.issue,
        round_up=_round_up_url(mailing.release),
        counts=counts,
        refusal=explain_facts(mailing.hold_facts) if mailing.hold == Hold.REFUSED else None,
        rates=rates_sentence(mailing.hold_facts) if mailing.hold == Hold.RATES else "",
        refusal_codes=_codes(mailing.hold_facts),
        failed=failed_sentence(counts.failed, counts.readers)
        if _ended_badly(mailing, counts)
        else "",
        failures=failures(mailing) if counts.refused + counts.failed else [],
        transports=sent_by_transport(mailing),
        waiting_for_hour=waiting,
        deferred_readers=retried,
        pace=pace(mailing, counts, not_due=not_due),
        zone=mailing.release.newsletter.timezone,
        editions=editions,
        bytes_in_all=sum(edition.size * (edition.readers or 0) for edition in editions),
        is_running=mailing.state in RUNNING,
        alerts=current_alerts(Alert.Kind.TRANSPORT) if mailing.state in RUNNING else [],
        actions=[
            (name, action.label)
            for name, action in ACTIONS.items()
            if may(request, action.needs, mailing) and action.is_offered(mailing, counts)
        ],
        may_send=may_send,
    )


@changes_no_issue
@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("delivery.view_mailing")
def perform(request: HttpRequest, mailing_id: int, name: str) -> HttpResponse:
    """Ask for confirmation on GET; run the action on POST."""
    if name not in ACTIONS:
        raise Http404
    action = ACTIONS[name]
    mailing = get_mailing(request, mailing_id, action.needs)
    counts = report(mailing)
    is_offered = action.is_offered(mailing, counts)
    if request.method != "POST" and is_offered:
        return render_page(
            request,
            "desk/confirm_action.html",
            title=f"{action.label}: {mailing}",
            mailing=mailing,
            meaning=action.explain(mailing, counts),
            label=action.label,
        )
    result = (
        _run_action(request, action, mailing) if request.method == "POST" and is_offered else None
    )
    if result is None:
        mailing.refresh_from_db()
        state = mailing.get_state_display()
        messages.warning(request, _("Nothing to do: the mailing is %(state)s.") % {"state": state})
    return redirect("admin:delivery_mailing_change", (result or mailing).pk)


def _run_action(request: HttpRequest, action: Action, mailing: Mailing) -> Mailing | None:
    try:
        result = action.run(mailing, user_of(request))
    except CannotSendError as error:
        messages.error(request, str(error))
        return mailing
    if result is not None:
        log_action(request, mailing, str(action.label))
        messages.success(request, _("Done: %(action)s.") % {"action": action.label})
    return result


@require_safe
@permission_required("delivery.view_mailing")
def edition(request: HttpRequest, mailing_id: int, edition_id: int) -> HttpResponse:
    """Show an edition exactly as sent, without the readers' own links."""
    mailing = get_mailing(request, mailing_id)
    found = get_object_or_404(Edition, pk=edition_id, mailing=mailing)
    return render_page(
        request,
        "desk/edition.html",
        title=edition_label(found),
        edition=found,
        mailing=mailing,
        direction=direction(found.language),
    )


@require_safe
@permission_required("delivery.view_mailing")
@email_frame_policy
def edition_frame(request: HttpRequest, mailing_id: int, edition_id: int) -> HttpResponse:
    mailing = get_mailing(request, mailing_id)
    found = get_object_or_404(Edition, pk=edition_id, mailing=mailing)
    return HttpResponse(load_embedded_images(found.html, found.images))


def _ended_badly(mailing: Mailing, counts: Report) -> bool:
    return mailing.state == State.FINISHED and counts.has_failed


def _codes(facts: dict[str, Any]) -> str:
    return f"{facts.get('code') or ''} {facts.get('status') or ''}".strip()


def _round_up_url(release: Release) -> str:
    """Return the URL of a monthly round-up's page; "" for an issue."""
    if release.kind != Release.Kind.MONTHLY:
        return ""
    return reverse("admin:delivery_round_up", args=[release.newsletter.slug, release.period])
