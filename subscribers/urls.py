"""Addresses."""

from django.urls import URLPattern

app_name = "subscribers"
urlpatterns: list[URLPattern] = []
