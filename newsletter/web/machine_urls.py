"""Addresses without a language's prefix."""

from __future__ import annotations

from django.urls import path

from newsletter.web.views import edition, machine_readable

urlpatterns = [
    path("view/<str:public_id>/", edition.edition, name="edition"),
    path("by/", machine_readable.belarusian),
    path("by/<path:rest>", machine_readable.belarusian),
    path("healthz", machine_readable.healthz, name="healthz"),
    path("robots.txt", machine_readable.robots, name="robots"),
    path("sitemap.xml", machine_readable.sitemap, name="sitemap"),
]
