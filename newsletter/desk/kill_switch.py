"""The kill switch page: after a confirmation, all sending stops and everyone is signed out."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from newsletter.delivery.oversight import kill_switch
from newsletter.desk.access.roles import CONTROL
from newsletter.desk.approvals import changes_no_issue
from newsletter.desk.view_helpers import permission_required, render_page


@changes_no_issue
@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(CONTROL)
def engage(request: HttpRequest) -> HttpResponse:
    """Ask for confirmation on GET; turn on the kill switch on POST, ending this session, too."""
    if request.method != "POST":
        return render_page(request, "desk/kill_switch.html", title=_("Turn on the kill switch"))
    kill_switch.engage()
    # The session's row has been deleted: this request must not save it again when it ends.
    request.session.flush()
    return redirect("admin:login")
