"""What readers are sent to, without the admin: mails are written with these routes, so that a
worker does not load a site's worth of pages for editors."""

from __future__ import annotations

from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path

from subscribers.urls import machine_urlpatterns

urlpatterns = [
    path("", include(machine_urlpatterns)),
    path("", include("newsletter.web.machine_urls")),
    *i18n_patterns(
        path("", include("subscribers.urls")),
        path("", include("newsletter.web.urls")),
    ),
]
