"""Addresses without a language's prefix."""

from __future__ import annotations

from django.urls import path

from newsletter.web.views import edition, machines

urlpatterns = [
    path("view/<str:public_id>/", edition.edition, name="edition"),
    path("by/", machines.belarusian),
    path("by/<path:rest>", machines.belarusian),
    path("healthz", machines.healthz, name="healthz"),
    path("robots.txt", machines.robots, name="robots"),
    path("sitemap.xml", machines.sitemap, name="sitemap"),
]
