"""The local mailbox: part of the site only where mail goes to it."""

from django.urls import path

from newsletter.local import views

app_name = "local"
urlpatterns = [
    path("", views.inbox, name="inbox"),
    path("empty/", views.empty, name="empty"),
    path("<slug:name>/", views.mail, name="mail"),
    path("<slug:name>/html/", views.html, name="html"),
    path("<slug:name>/picture/", views.picture, name="picture"),
    path("<slug:name>/source.eml", views.source, name="source"),
]
