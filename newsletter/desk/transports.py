"""The page of the transports: the state of each, what it learned, its errors, “Retry now”."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from newsletter.delivery.oversight import control
from newsletter.delivery.oversight.transport_report import transport_reports
from newsletter.desk.access.roles import CONTROL
from newsletter.desk.approvals import changes_no_issue
from newsletter.desk.view_helpers import permission_required, render_page, user_of


@require_safe
@permission_required("delivery.view_mailing")
def show(request: HttpRequest) -> HttpResponse:
    return render_page(
        request,
        "desk/transports.html",
        title=_("Transports"),
        reports=transport_reports(),
        may_send=user_of(request).has_perm(CONTROL),
    )


@changes_no_issue
@require_POST
@permission_required(CONTROL)
def retry(request: HttpRequest) -> HttpResponse:
    """Try the transport that the form names again at once, and the readers who wait for it."""
    name = request.POST.get("transport", "")
    if control.retry_transport(name):
        messages.success(request, _("Trying %(transport)s again.") % {"transport": name})
    else:
        messages.info(request, _("%(transport)s isn’t waiting.") % {"transport": name})
    return redirect("admin:transports")
