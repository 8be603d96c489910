"""Readers' pages in each language (`urlpatterns`), and URLs without a language."""

from __future__ import annotations

from django.urls import path

from subscribers.views import account, confirm, signup, unsubscribe

app_name = "subscribers"
urlpatterns = [
    path("subscribe/", signup.subscribe, name="subscribe"),
    path("subscribe/asked/", signup.signup_received, name="asked"),
    path("embed/<slug:newsletter>/", signup.embedded, name="embedded"),
    # Editors of other sites type this URL by hand, and a redirect would lose the posted form.
    path("embed/<slug:newsletter>", signup.embedded, name="embedded-without-slash"),
    path("embed/<slug:newsletter>/asked/", signup.embedded_received, name="embedded-asked"),
    path("preferences/", signup.link_request, name="link"),
    path("preferences/asked/", signup.link_requested, name="link-asked"),
    path("confirm/<str:token>/", confirm.confirm, name="confirm"),
    path("confirm/<str:token>/welcome/", confirm.confirmed, name="confirmed"),
    path("confirm/<str:token>/issue/", confirm.send_latest, name="send-latest"),
    path("preferences/<str:token>/", confirm.preferences, name="preferences"),
    path("preferences/<str:token>/preview/", confirm.preview_page, name="preview"),
    path("preferences/<str:token>/preview/mail/", confirm.preview_mail, name="preview-mail"),
    path("unsubscribe/<str:token>/", unsubscribe.unsubscribe, name="unsubscribe"),
    path("unsubscribe/<str:token>/undo/", unsubscribe.undo, name="undo"),
    path("you/forgotten/", account.erased, name="forgotten"),
    path("you/change/asked/", account.change_requested, name="change-asked"),
    path("you/moved/", account.change_confirmed, name="moved"),
    path("you/<str:token>/", account.account, name="you"),
    path("you/<str:token>/what-we-hold.json", account.personal_data_json, name="held"),
    path("you/<str:token>/leave-all/", account.unsubscribe_from_all, name="leave-all"),
    path("you/<str:token>/forget/", account.erase, name="forget"),
    path("you/<str:token>/change/", account.change_address, name="change-address"),
    path("move/<str:token>/", account.confirm_change, name="move"),
]

# Used by email programs and scripts.
machine_urlpatterns = [
    path("u/<str:token>/", unsubscribe.one_click, name="one-click"),
    # Some email programs drop the slash, and a redirect would turn their POST into a GET.
    path("u/<str:token>", unsubscribe.one_click, name="one-click-without-slash"),
    path("challenge/", signup.challenge, name="challenge"),
]
