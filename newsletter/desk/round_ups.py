"""A month's round-up: what is in it, who gets it, and sending it."""

from __future__ import annotations

from datetime import date
from functools import partial

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from newsletter.delivery.models import Mailing, Release
from newsletter.delivery.planning import release_content
from newsletter.delivery.planning.preview import preview_of
from newsletter.delivery.planning.snapshot import CannotSendError, send_round_up
from newsletter.desk.groups import SEND
from newsletter.desk.preview import (
    as_frame,
    asked_for,
    choices_of,
    mail_policy,
    previewed,
    rendered_or_why,
)
from newsletter.desk.view_helpers import log_action, permission_required, render_page, user_of
from newsletter.digest.content import RenderedEmail
from newsletter.digest.dates import month_name
from newsletter.editorial.models import Newsletter
from newsletter.editorial.schedule import Month
from subscribers import audience


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("delivery.view_mailing")
def show(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    """GET shows it as it would be now; POST sends it and shows the progress."""
    newsletter, month = _month(slug, key)
    if request.method == "POST":
        return _send(request, newsletter, month)
    shown = asked_for(request, newsletter)
    rendered, error = _rendered(request, newsletter, month)
    readers = audience.segments(newsletter, audience.Frequency.MONTHLY)
    mailing = Mailing.objects.filter(
        release__newsletter=newsletter,
        release__kind=Release.Kind.MONTHLY,
        release__period=month.key,
    ).first()
    name = month_name(date(month.year, month.month, 1), get_language() or "en")
    return render_page(
        request,
        "desk/round_up.html",
        title=_("Round-up: %(month)s") % {"month": name},
        newsletter=newsletter,
        month=month,
        total=sum(count for _profile, count in readers),
        mailing=mailing,
        may_send=user_of(request).has_perm(SEND),
        choices=choices_of(newsletter, shown, amounts=["lead"]),
        shown=shown,
        **previewed(rendered, error),
    )


@require_safe
@permission_required("delivery.view_mailing")
@mail_policy
def frame(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    """The mail's HTML alone."""
    rendered, _error = _rendered(request, *_month(slug, key))
    return as_frame(rendered)


def _send(request: HttpRequest, newsletter: Newsletter, month: Month) -> HttpResponse:
    user = user_of(request)
    if not user.has_perm(SEND):
        raise PermissionDenied
    try:
        mailing = send_round_up(newsletter, month, by=user)
    except CannotSendError as error:
        messages.error(request, str(error))
        return redirect(request.path)
    log_action(request, mailing, _("Sent."))
    return redirect("admin:delivery_mailing_change", mailing.pk)


def _rendered(
    request: HttpRequest, newsletter: Newsletter, month: Month
) -> tuple[RenderedEmail | None, str]:
    paper = release_content.round_up(newsletter, month, at=timezone.now())
    if not paper.articles:
        return None, _("No issue of this month has been sent.")
    view = partial(preview_of, paper, newsletter)
    return rendered_or_why(view, newsletter, asked_for(request, newsletter))


def _month(slug: str, key: str) -> tuple[Newsletter, Month]:
    try:
        month = Month.parse(key)
    except ValueError:
        raise Http404 from None
    return get_object_or_404(Newsletter, slug=slug), month
