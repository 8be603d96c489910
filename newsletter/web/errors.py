"""What a visitor sees where something is refused.

404 and 403 are Django's own views with templates of ours; 400 and 500 have templates that need
neither the database nor a request.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that comes without its cookie: nothing was done, and the visitor learns how to go
    on. `reason` is for developers, and stays with us."""
    return render(request, "403_csrf.html", status=403)
