"""URLs of the local mailbox. The site includes them only if its email goes there."""

from django.urls import path

from newsletter.local import views

app_name = "local"
urlpatterns = [
    path("", views.inbox, name="inbox"),
    path("empty/", views.clear, name="clear"),
    path("<slug:name>/", views.message, name="message"),
    path("<slug:name>/html/", views.html, name="html"),
    path("<slug:name>/picture/", views.image, name="image"),
    path("<slug:name>/source.eml", views.source, name="source"),
]
