"""URLs without a language prefix."""

from __future__ import annotations

from django.urls import path

from newsletter.web.views import edition, health, robots, sitemap

urlpatterns = [
    path("view/<str:public_id>/", edition.edition, name="edition"),
    path("by/", robots.redirect_by_to_be),
    path("by/<path:rest>", robots.redirect_by_to_be),
    path("healthz", health.healthz, name="healthz"),
    path("robots.txt", robots.robots, name="robots"),
    path("sitemap.xml", sitemap.sitemap, name="sitemap"),
]
