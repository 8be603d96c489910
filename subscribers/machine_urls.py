"""Addresses for machines, in no language."""

from __future__ import annotations

from django.urls import path

from subscribers import views

urlpatterns = [path("u/<str:token>/", views.one_click, name="one-click")]
