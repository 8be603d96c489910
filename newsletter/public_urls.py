"""The URLs that emails link to, without the admin: a worker that writes emails with these routes
doesn't load the desk."""

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
