"""All addresses of the site."""

from __future__ import annotations

from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import include, path
from django.views.static import serve

handler400 = "newsletter.web.errors.bad_request"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("media/<path:path>", serve, {"document_root": settings.MEDIA_ROOT}),
    path("", include("subscribers.machine_urls")),
    path("", include("newsletter.web.machine_urls")),
    *i18n_patterns(
        path("", include("subscribers.urls")),
        path("", include("newsletter.web.urls")),
    ),
]
if settings.USES_LOCAL_MAILBOX:
    urlpatterns.insert(0, path("inbox/", include("newsletter.local.urls")))
