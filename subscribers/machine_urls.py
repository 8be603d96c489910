"""URLs that programs fetch, without a language prefix."""

from __future__ import annotations

from django.urls import path

from subscribers.views import signup, unsubscribe

urlpatterns = [
    path("u/<str:token>/", unsubscribe.one_click, name="one-click"),
    # Some mail programs drop the slash, and a redirect would turn their POST into a GET.
    path("u/<str:token>", unsubscribe.one_click, name="one-click-without-slash"),
    path("challenge/", signup.challenge, name="challenge"),
]
