"""URLs without a language prefix."""

from __future__ import annotations

from django.urls import path

from newsletter.web.languages import redirected_prefixes
from newsletter.web.views import edition, health, robots, sitemap

urlpatterns = [
    path("view/<str:public_id>/", edition.edition, name="edition"),
    *(
        path(f"{label}/{rest}", robots.redirect_to_language, {"language": code})
        for label, code in redirected_prefixes().items()
        for rest in ("", "<path:rest>")
    ),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("robots.txt", robots.robots, name="robots"),
    path("sitemap.xml", sitemap.sitemap, name="sitemap"),
]
