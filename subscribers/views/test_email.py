"""Where the personal links of a test email lead: a page that says so, and does nothing."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def test_email(request: HttpRequest) -> HttpResponse:
    """Show the page on GET; answer an email program's one click on POST. Nothing changes."""
    if request.method == "POST":
        return HttpResponse("this was a test email\n", content_type="text/plain")
    return render(request, "subscribers/test_email.html")
