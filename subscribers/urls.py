"""A reader's pages, in each language (i18n_patterns)."""

from __future__ import annotations

from django.urls import path

from subscribers import views

app_name = "subscribers"
urlpatterns = [
    path("subscribe/", views.subscribe, name="subscribe"),
    path("subscribe/asked/", views.asked, name="asked"),
    path("confirm/<str:token>/", views.confirm, name="confirm"),
    path("confirm/<str:token>/welcome/", views.confirmed, name="confirmed"),
    path("confirm/<str:token>/issue/", views.send_latest, name="send-latest"),
    path("preferences/<str:token>/", views.preferences, name="preferences"),
    path("unsubscribe/<str:token>/", views.unsubscribe, name="unsubscribe"),
    path("unsubscribe/<str:token>/undo/", views.undo, name="undo"),
]
