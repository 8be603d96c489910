"""The page that says what each role may do."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from newsletter.desk.access.roles import ROLES
from newsletter.desk.view_helpers import render_page


@require_safe
def roles(request: HttpRequest) -> HttpResponse:
    """Describe the roles. Everybody who works at the desk may read it."""
    return render_page(
        request, "desk/roles.html", title=_("What each role may do"), roles=ROLES.values()
    )
