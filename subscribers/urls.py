"""Readers' pages in each language (`urlpatterns`), and URLs without a language."""

from __future__ import annotations

from django.urls import path

from subscribers.views import account, confirm, preferences, preview, signup, unsubscribe

app_name = "subscribers"
urlpatterns = [
    path("subscribe/", signup.subscribe, name="subscribe"),
    path("subscribe/sent/", signup.signup_received, name="signup-received"),
    path("embed/<slug:newsletter>/", signup.embedded, name="embedded"),
    # Editors of other sites type this address by hand, and a redirect would lose the POST data.
    path("embed/<slug:newsletter>", signup.embedded, name="embedded-without-slash"),
    path("embed/<slug:newsletter>/sent/", signup.embedded_received, name="embedded-received"),
    path("preferences/", signup.link_request, name="link-request"),
    path("preferences/sent/", signup.link_requested, name="link-requested"),
    path("confirm/<str:token>/", confirm.confirm, name="confirm"),
    path("confirm/<str:token>/welcome/", confirm.welcome, name="welcome"),
    path("confirm/<str:token>/issue/", confirm.send_latest, name="send-latest"),
    path("preferences/<str:token>/", preferences.preferences, name="preferences"),
    path("preferences/<str:token>/preview/", preview.preview_page, name="preview"),
    path("preferences/<str:token>/preview/email/", preview.preview_email, name="preview-email"),
    path("unsubscribe/<str:token>/", unsubscribe.unsubscribe, name="unsubscribe"),
    path("unsubscribe/<str:token>/undo/", unsubscribe.undo, name="undo"),
    path("account/deleted/", account.data_deleted, name="data-deleted"),
    path("account/change-address/sent/", account.change_requested, name="change-requested"),
    path("account/change-address/done/", account.change_confirmed, name="change-confirmed"),
    path("account/<str:token>/", account.account, name="account"),
    path("account/<str:token>/your-data.json", account.your_data, name="your-data"),
    path("account/<str:token>/unsubscribe/", account.unsubscribe_all, name="unsubscribe-all"),
    path("account/<str:token>/delete/", account.delete_data, name="delete-data"),
    path("account/<str:token>/change-address/", account.change_address, name="change-address"),
    path("new-address/<str:token>/", account.confirm_change, name="confirm-change"),
]

# Used by email programs and scripts.
machine_urlpatterns = [
    path("u/<str:token>/", unsubscribe.one_click, name="one-click"),
    # Some email programs drop the slash, and a redirect would turn their POST into a GET.
    path("u/<str:token>", unsubscribe.one_click, name="one-click-without-slash"),
    path("challenge/", signup.challenge, name="challenge"),
]
