"""Readers' pages in each language (`urlpatterns`), and URLs without a language."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpResponseBase
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django.views.generic import TemplateView

from subscribers.views import account, confirm, preferences, signup, test_email, unsubscribe


def _page(template: str) -> Callable[..., HttpResponseBase]:
    """Return a view of a page that is the same for everyone."""
    return require_safe(TemplateView.as_view(template_name=f"subscribers/{template}"))


app_name = "subscribers"
urlpatterns = [
    path("subscribe/", signup.subscribe, name="subscribe"),
    path("subscribe/sent/", never_cache(_page("signup_received.html")), name="signup-received"),
    path("embed/<slug:newsletter>/", signup.embedded, name="embedded"),
    # Editors of other sites type this address by hand, and a redirect would lose the POST data.
    path("embed/<slug:newsletter>", signup.embedded, name="embedded-without-slash"),
    path("embed/<slug:newsletter>/sent/", signup.embedded_received, name="embedded-received"),
    path("preferences/", signup.link_request, name="link-request"),
    path("preferences/sent/", never_cache(_page("link_requested.html")), name="link-requested"),
    path("confirm/<str:token>/", confirm.confirm, name="confirm"),
    path("confirm/<str:token>/welcome/", confirm.welcome, name="welcome"),
    path("confirm/<str:token>/issue/", confirm.send_latest, name="send-latest"),
    path("preferences/<str:token>/", preferences.preferences, name="preferences"),
    path("preferences/<str:token>/preview/", preferences.preview_page, name="preview"),
    path("preferences/<str:token>/preview/email/", preferences.preview_email, name="preview-email"),
    path("unsubscribe/<str:token>/", unsubscribe.unsubscribe, name="unsubscribe"),
    path("unsubscribe/<str:token>/undo/", unsubscribe.undo, name="undo"),
    path("account/deleted/", _page("data_deleted.html"), name="data-deleted"),
    path("account/change-address/sent/", _page("change_requested.html"), name="change-requested"),
    path("account/change-address/done/", _page("change_confirmed.html"), name="change-confirmed"),
    path("account/<str:token>/", account.account, name="account"),
    path("account/<str:token>/your-data.json", account.your_data, name="your-data"),
    path("account/<str:token>/unsubscribe/", account.unsubscribe_all, name="unsubscribe-all"),
    path("account/<str:token>/delete/", account.delete_data, name="delete-data"),
    path("account/<str:token>/change-address/", account.change_address, name="change-address"),
    path("test-email/", test_email.test_email, name="test-email"),
    path("new-address/<str:token>/", account.confirm_change, name="confirm-change"),
]

# Used by email programs and scripts.
machine_urlpatterns = [
    path("u/<str:token>/", unsubscribe.one_click, name="one-click"),
    # Some email programs drop the slash, and a redirect would turn their POST into a GET.
    path("u/<str:token>", unsubscribe.one_click, name="one-click-without-slash"),
    path("challenge/", signup.challenge, name="challenge"),
]
