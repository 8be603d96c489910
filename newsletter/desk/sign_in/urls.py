"""The URLs of signing in, below /admin/. Those of django-allauth that aren't here don't exist."""

from __future__ import annotations

from allauth.account.views import reauthenticate
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.contrib import admin
from django.urls import path
from django.utils.translation import gettext_lazy as _

from newsletter.desk.sign_in import account, views
from newsletter.desk.sign_in.account import in_the_desk

PASSKEYS, FACTOR, CODES, AGAIN = (
    _("Passkeys"),
    _("Second factor"),
    _("Recovery codes"),
    _("Is it still you?"),
)

urlpatterns = [
    path("login/", admin.site.login, name="account_login"),
    path("login/code/", views.CodeView.as_view(), name="mfa_authenticate"),
    path("login/passkey/", webauthn.login_webauthn, name="mfa_login_webauthn"),
    path("password/forgotten/", views.forgotten, name="password_forgotten"),
    path("password/forgotten/sent/", views.requested, name="password_requested"),
    path("password/<str:token>/", views.choose_password, name="password_choose"),
    path("account/", admin.site.admin_view(account.account), name="account_home"),
    path(
        "account/sessions/<int:pk>/end/",
        admin.site.admin_view(account.end_session),
        name="account_end_session",
    ),
    path(
        "account/sessions/end/",
        admin.site.admin_view(account.end_others),
        name="account_end_others",
    ),
    path("account/confirm/", in_the_desk(reauthenticate, AGAIN), name="account_reauthenticate"),
    path(
        "account/confirm/code/", in_the_desk(mfa.reauthenticate, AGAIN), name="mfa_reauthenticate"
    ),
    path(
        "account/confirm/passkey/",
        in_the_desk(webauthn.reauthenticate_webauthn, AGAIN),
        name="mfa_reauthenticate_webauthn",
    ),
    path("account/second-factor/", in_the_desk(mfa.index, FACTOR), name="mfa_index"),
    path(
        "account/second-factor/app/",
        in_the_desk(totp.activate_totp, _("Authenticator app")),
        name="mfa_activate_totp",
    ),
    path(
        "account/second-factor/app/remove/",
        in_the_desk(totp.deactivate_totp, _("Remove the authenticator app")),
        name="mfa_deactivate_totp",
    ),
    path(
        "account/recovery-codes/",
        in_the_desk(recovery_codes.view_recovery_codes, CODES),
        name="mfa_view_recovery_codes",
    ),
    path(
        "account/recovery-codes/new/",
        in_the_desk(recovery_codes.generate_recovery_codes, CODES),
        name="mfa_generate_recovery_codes",
    ),
    path(
        "account/passkeys/", in_the_desk(webauthn.list_webauthn, PASSKEYS), name="mfa_list_webauthn"
    ),
    path(
        "account/passkeys/add/",
        in_the_desk(webauthn.add_webauthn, _("Add a passkey")),
        name="mfa_add_webauthn",
    ),
    path(
        "account/passkeys/<int:pk>/remove/",
        in_the_desk(webauthn.remove_webauthn, _("Remove a passkey")),
        name="mfa_remove_webauthn",
    ),
    path(
        "account/passkeys/<int:pk>/name/",
        in_the_desk(webauthn.edit_webauthn, _("Rename a passkey")),
        name="mfa_edit_webauthn",
    ),
]
