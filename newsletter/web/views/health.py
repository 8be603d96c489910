"""Health checks: of the web process for load balancers, and of everything for monitoring."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from newsletter.delivery.oversight import readiness
from newsletter.lib import outages


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Return 200 if the database answers, else 503."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        if service := outages.failed_service(error):
            outages.monitor.report_failure(service, type(error).__name__)
        return HttpResponse("no database\n", status=503, content_type="text/plain")
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Return 200 if mailings can be sent, else 503, and in both cases what was checked."""
    checks = readiness.check()
    ready = all(each["ok"] for each in checks.values())
    return JsonResponse({"ready": ready, "checks": checks}, status=200 if ready else 503)
