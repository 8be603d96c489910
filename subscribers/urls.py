"""A reader's pages, in each language (i18n_patterns)."""

from __future__ import annotations

from django.urls import path

from subscribers import entrance, leaving, own_pages, views

app_name = "subscribers"
urlpatterns = [
    path("subscribe/", entrance.subscribe, name="subscribe"),
    path("subscribe/asked/", entrance.asked, name="asked"),
    path("embed/<slug:newsletter>/", entrance.embedded, name="embedded"),
    # Other sites' editors type this address by hand, and a redirect would lose what is posted.
    path("embed/<slug:newsletter>", entrance.embedded, name="embedded-without-slash"),
    path("embed/<slug:newsletter>/asked/", entrance.embedded_asked, name="embedded-asked"),
    path("preferences/", entrance.link, name="link"),
    path("preferences/asked/", entrance.link_asked, name="link-asked"),
    path("confirm/<str:token>/", views.confirm, name="confirm"),
    path("confirm/<str:token>/welcome/", views.confirmed, name="confirmed"),
    path("confirm/<str:token>/issue/", views.send_latest, name="send-latest"),
    path("preferences/<str:token>/", views.preferences, name="preferences"),
    path("preferences/<str:token>/preview/", views.preview_page, name="preview"),
    path("preferences/<str:token>/preview/mail/", views.preview_mail, name="preview-mail"),
    path("unsubscribe/<str:token>/", leaving.unsubscribe, name="unsubscribe"),
    path("unsubscribe/<str:token>/undo/", leaving.undo, name="undo"),
    path("you/forgotten/", own_pages.forgotten, name="forgotten"),
    path("you/change/asked/", own_pages.change_asked, name="change-asked"),
    path("you/moved/", own_pages.moved, name="moved"),
    path("you/<str:token>/", own_pages.you, name="you"),
    path("you/<str:token>/what-we-hold.json", own_pages.held, name="held"),
    path("you/<str:token>/leave-all/", own_pages.leave_all, name="leave-all"),
    path("you/<str:token>/forget/", own_pages.forget, name="forget"),
    path("you/<str:token>/change/", own_pages.change_address, name="change-address"),
    path("move/<str:token>/", own_pages.move, name="move"),
]
