"""URLs without a language prefix."""

from __future__ import annotations

from django.urls import path

from newsletter.web.languages import redirected_prefixes
from newsletter.web.views import edition, machine_readable

urlpatterns = [
    path("view/<str:public_id>/", edition.edition, name="edition"),
    *(
        path(f"{label}/{rest}", machine_readable.redirect_to_language, {"language": code})
        for label, code in redirected_prefixes().items()
        for rest in ("", "<path:rest>")
    ),
    path("healthz", machine_readable.healthz, name="healthz"),
    path("robots.txt", machine_readable.robots, name="robots"),
    path("sitemap.xml", machine_readable.sitemap, name="sitemap"),
]
