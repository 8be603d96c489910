"""The page of a monthly round-up: a preview, the number of readers, and sending it."""

from __future__ import annotations

from datetime import date
from functools import partial

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from newsletter.delivery.models import Mailing, Release
from newsletter.delivery.planning.editions import preview_of, round_up
from newsletter.delivery.planning.start import CannotSendError, send_round_up
from newsletter.desk.access.roles import SEND
from newsletter.desk.access.rows import VIEW_MAILING, get_newsletter, may, require
from newsletter.desk.approvals import changes_no_issue
from newsletter.desk.preview import (
    email_frame_policy,
    frame_response,
    preview_choices,
    preview_context,
    render_or_explain,
    requested_choice,
)
from newsletter.desk.view_helpers import log_action, permission_required, render_page, user_of
from newsletter.digest.content import RenderedEmail
from newsletter.digest.dates import month_name
from newsletter.editorial.models import Newsletter
from newsletter.editorial.schedule import Month
from subscribers import audience


@changes_no_issue
@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("delivery.view_mailing")
def show(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    """Show the round-up as it would be now on GET; send it on POST."""
    newsletter, month = _get_month(request, slug, key)
    if request.method == "POST":
        return _send(request, newsletter, month)
    selected = requested_choice(request, newsletter)
    rendered, error = _render_preview(request, newsletter, month)
    segments = audience.segments(newsletter, audience.Frequency.MONTHLY)
    total = sum(count for _segment, count in segments)
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
        total=total,
        mailing=mailing,
        may_send=may(request, SEND, newsletter),
        choices=preview_choices(newsletter, selected, lengths=["lead"]),
        selected=selected,
        **preview_context(rendered, error, readers=total),
    )


@require_safe
@permission_required("delivery.view_mailing")
@email_frame_policy
def frame(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    """Return the email's HTML alone."""
    rendered, _error = _render_preview(request, *_get_month(request, slug, key))
    return frame_response(rendered)


def _send(request: HttpRequest, newsletter: Newsletter, month: Month) -> HttpResponse:
    user = user_of(request)
    require(request, SEND, newsletter)
    try:
        mailing = send_round_up(newsletter, month, by=user)
    except CannotSendError as error:
        messages.error(request, str(error))
        return redirect(request.path)
    log_action(request, mailing, _("Sent."))
    return redirect("admin:delivery_mailing_change", mailing.pk)


def _render_preview(
    request: HttpRequest, newsletter: Newsletter, month: Month
) -> tuple[RenderedEmail | None, str]:
    content = round_up(newsletter, month, at=timezone.now())
    if not content.articles:
        return None, _("No issue of this month has been sent.")
    render = partial(preview_of, content, newsletter)
    return render_or_explain(render, newsletter, requested_choice(request, newsletter))


def _get_month(request: HttpRequest, slug: str, key: str) -> tuple[Newsletter, Month]:
    """Raises Http404 for an unknown newsletter or a malformed month, or PermissionDenied."""
    try:
        month = Month.parse(key)
    except ValueError:
        raise Http404 from None
    return get_newsletter(request, slug, VIEW_MAILING), month
