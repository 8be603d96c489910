"""A send-out: how far it is, what was sent exactly, and the brakes."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Q, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from newsletter.delivery.models import Edition, Mailing, Release
from newsletter.delivery.oversight.report import deferred, report, waiting_for_hour
from newsletter.delivery.planning.start import CannotSendError
from newsletter.desk.groups import SEND
from newsletter.desk.labels import edition_label
from newsletter.desk.mailing_actions import ACTIONS, Action
from newsletter.desk.preview import mail_policy, with_pictures
from newsletter.desk.view_helpers import log_action, permission_required, render_page, user_of
from newsletter.lib.languages import direction

State = Mailing.State
RUNNING = {State.PREPARING, State.SENDING}


@require_safe
@permission_required("delivery.view_mailing")
def show(request: HttpRequest, mailing_id: int) -> HttpResponse:
    mailing = _mailing(mailing_id)
    may_send = user_of(request).has_perm(SEND)
    counts = report(mailing)
    return render_page(
        request,
        "desk/mailing.html",
        title=_("Mailing: %(mailing)s") % {"mailing": mailing},
        mailing=mailing,
        issue=mailing.release.issue,
        round_up=_round_up(mailing.release),
        account=counts,
        later=waiting_for_hour(mailing),
        put_off=deferred(mailing),
        zone=mailing.release.newsletter.timezone,
        editions=mailing.editions.defer("html", "text").annotate(
            readers=Sum("batches__size", filter=Q(batches__predecessor=None))
        ),
        is_running=mailing.state in RUNNING,
        actions=[
            (name, action.label)
            for name, action in ACTIONS.items()
            if may_send and action.offered(mailing, counts)
        ],
        may_send=may_send,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(SEND)
def act(request: HttpRequest, mailing_id: int, name: str) -> HttpResponse:
    """GET asks; POST does it once."""
    if name not in ACTIONS:
        raise Http404
    mailing, action = _mailing(mailing_id), ACTIONS[name]
    offered = action.offered(mailing, report(mailing))
    if request.method != "POST" and offered:
        return render_page(
            request,
            "desk/confirm.html",
            title=f"{action.label}: {mailing}",
            mailing=mailing,
            meaning=action.meaning,
            label=action.label,
        )
    done = _do(request, action, mailing) if request.method == "POST" and offered else None
    if done is None:
        mailing.refresh_from_db()
        state = mailing.get_state_display()
        messages.warning(request, _("Nothing to do: the mailing is %(state)s.") % {"state": state})
    return redirect("admin:delivery_mailing_change", (done or mailing).pk)


def _do(request: HttpRequest, action: Action, mailing: Mailing) -> Mailing | None:
    try:
        done = action.do(mailing, user_of(request))
    except CannotSendError as error:
        messages.error(request, str(error))
        return mailing
    if done is not None:
        log_action(request, mailing, str(action.label))
        messages.success(request, _("Done: %(action)s.") % {"action": action.label})
    return done


@require_safe
@permission_required("delivery.view_mailing")
def edition(request: HttpRequest, mailing_id: int, edition_id: int) -> HttpResponse:
    """What was sent, exactly, but for what is personal."""
    found = get_object_or_404(Edition, pk=edition_id, mailing=mailing_id)
    return render_page(
        request,
        "desk/edition.html",
        title=edition_label(found),
        edition=found,
        mailing=_mailing(mailing_id),
        direction=direction(found.language),
    )


@require_safe
@permission_required("delivery.view_mailing")
@mail_policy
def edition_frame(request: HttpRequest, mailing_id: int, edition_id: int) -> HttpResponse:
    found = get_object_or_404(Edition, pk=edition_id, mailing=mailing_id)
    return HttpResponse(with_pictures(found.html, found.images))


def _round_up(release: Release) -> str:
    """The page of a month's round-up; "" for an issue."""
    if release.kind != Release.Kind.MONTHLY:
        return ""
    return reverse("admin:delivery_round_up", args=[release.newsletter.slug, release.period])


def _mailing(mailing_id: int) -> Mailing:
    rows = Mailing.objects.select_related("release__newsletter", "release__issue", "started_by")
    return get_object_or_404(rows, pk=mailing_id)
