"""A send-out: how far it is, what was sent exactly, and the brakes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from newsletter.delivery import control
from newsletter.delivery.account import account
from newsletter.delivery.models import Edition, Mailing
from newsletter.desk.groups import SEND
from newsletter.desk.pages import log, needs, page, user_of
from newsletter.desk.previews import mail_policy, with_pictures
from newsletter.lib.languages import direction

State = Mailing.State
RUNNING = {State.PREPARING, State.SENDING}
ACTIONS: dict[str, tuple[Callable[[Mailing], bool], Any, Any, set[str]]] = {
    "pause": (
        control.pause,
        gettext_lazy("Pause"),
        gettext_lazy("Nothing more is handed over until you resume. What is on its way arrives."),
        {State.SENDING},
    ),
    "resume": (
        control.resume,
        gettext_lazy("Resume"),
        gettext_lazy("It goes on with the readers who wait."),
        {State.PAUSED},
    ),
    "cancel": (
        control.cancel,
        gettext_lazy("Cancel"),
        gettext_lazy("It ends for good: readers who still wait will not get this issue."),
        {State.HELD, State.PREPARING, State.SENDING, State.PAUSED},
    ),
}
"""What can be done: the function, its name, what it means, and in which states."""


@require_safe
@needs("delivery.view_mailing")
def show(request: HttpRequest, mailing_id: int) -> HttpResponse:
    mailing = _mailing(mailing_id)
    may_send = user_of(request).has_perm(SEND)
    return page(
        request,
        "desk/mailing.html",
        title=_("Send-out: %(mailing)s") % {"mailing": mailing.release},
        mailing=mailing,
        issue=mailing.release.issue,
        account=account(mailing),
        editions=mailing.editions.defer("html", "text"),
        is_running=mailing.state in RUNNING,
        actions=[(name, label) for name, (_f, label, _w, states) in ACTIONS.items()
                 if may_send and mailing.state in states],
        may_send=may_send,
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@needs(SEND)
def act(request: HttpRequest, mailing_id: int, action: str) -> HttpResponse:
    """GET asks; POST does it once."""
    if action not in ACTIONS:
        raise Http404
    mailing = _mailing(mailing_id)
    do, label, meaning, states = ACTIONS[action]
    if request.method != "POST" and mailing.state in states:
        return page(request, "desk/confirm.html", title=f"{label}: {mailing.release}",
                    mailing=mailing, meaning=meaning, label=label)  # fmt: skip
    if request.method == "POST" and do(mailing):
        log(request, mailing, str(label))
        messages.success(request, _("Done: %(action)s.") % {"action": label})
    else:
        state = mailing.get_state_display()
        messages.warning(request, _("Nothing to do: it is %(state)s.") % {"state": state})
    return redirect("admin:delivery_mailing_change", mailing.pk)


@require_safe
@needs("delivery.view_mailing")
def edition(request: HttpRequest, mailing_id: int, edition_id: int) -> HttpResponse:
    """What was sent, exactly, but for what is personal."""
    found = get_object_or_404(Edition, pk=edition_id, mailing=mailing_id)
    return page(request, "desk/edition.html", title=found.label, edition=found,
                mailing=_mailing(mailing_id), direction=direction(found.language))  # fmt: skip


@require_safe
@needs("delivery.view_mailing")
@mail_policy
def edition_frame(request: HttpRequest, mailing_id: int, edition_id: int) -> HttpResponse:
    found = get_object_or_404(Edition, pk=edition_id, mailing=mailing_id)
    return HttpResponse(with_pictures(found.html, found.images))


def _mailing(mailing_id: int) -> Mailing:
    rows = Mailing.objects.select_related("release__newsletter", "release__issue", "started_by")
    return get_object_or_404(rows, pk=mailing_id)
