"""All URLs of the site."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from newsletter import public_urls
from newsletter.delivery.feedback import webhooks
from newsletter.web.views.media import media

handler400 = "newsletter.web.errors.bad_request"

urlpatterns = [
    path("admin/", include("newsletter.desk.sign_in.urls")),
    path("admin/", admin.site.urls),
    path("media/<path:path>", media),
    path("hooks/<slug:provider>/", webhooks.receive, name="webhook"),
    # A redirect would lose the POST.
    path("hooks/<slug:provider>", webhooks.receive, name="webhook-without-slash"),
    *public_urls.urlpatterns,
]
if settings.USES_LOCAL_MAILBOX:
    urlpatterns.insert(0, path("inbox/", include("newsletter.local.urls")))
