"""The local mailbox: part of the site only where mail goes to it."""

from django.urls import path

from newsletter.local import views

app_name = "local"
urlpatterns = [
    path("", views.inbox, name="inbox"),
    path("empty/", views.clear, name="empty"),
    path("<slug:name>/", views.message, name="mail"),
    path("<slug:name>/html/", views.html, name="html"),
    path("<slug:name>/picture/", views.image, name="picture"),
    path("<slug:name>/source.eml", views.source, name="source"),
]
