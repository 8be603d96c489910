"""The emergency brake's page: asks once, then everything stops and everybody is signed out."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from newsletter.delivery.oversight import kill_switch
from newsletter.desk.groups import SEND
from newsletter.desk.view_helpers import permission_required, render_page


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(SEND)
def engage(request: HttpRequest) -> HttpResponse:
    """GET asks; POST freezes, which ends this session too."""
    if request.method != "POST":
        return render_page(request, "desk/freeze.html", title=_("Turn on the kill switch"))
    kill_switch.engage()
    # Its row is gone: nothing of it may be saved again at the end of this request.
    request.session.flush()
    return redirect("admin:login")
