"""Pages for one's own password, and the page that says what each role may do."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import login
from django.contrib.auth.forms import SetPasswordForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from newsletter.delivery.oversight import kill_switch
from newsletter.delivery.staff import outbox
from newsletter.desk.access.roles import ROLES
from newsletter.desk.view_helpers import render_page
from newsletter.editorial import account_links
from newsletter.editorial.account_links import Purpose
from newsletter.editorial.models import User
from newsletter.lib.text_fields import EmailFormField

_BACKEND = "newsletter.desk.access.backend.RoleBackend"


class ForgottenForm(forms.Form):
    email = EmailFormField(label="")


@require_safe
def roles(request: HttpRequest) -> HttpResponse:
    """Describe the roles. Everybody who works at the desk may read it."""
    return render_page(
        request, "desk/roles.html", title=_("What each role may do"), roles=ROLES.values()
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def forgotten(request: HttpRequest) -> HttpResponse:
    """Ask for an email address, and send a link for a new password to the account that has it.

    The answer is the same for every address.
    """
    form = ForgottenForm(request.POST if request.method == "POST" else None)
    is_sent = request.method == "POST" and form.is_valid()
    if is_sent and not kill_switch.is_engaged():
        language = get_language() or settings.LANGUAGE_CODE
        rows = User.objects.filter(is_active=True, is_staff=True)
        for user in rows.filter(email__iexact=form.cleaned_data["email"])[:3]:
            outbox.send_password_link(user, language=language)
    return _page(
        request,
        "desk/forgotten_password.html",
        title=_("Forgotten password"),
        form=form,
        is_sent=is_sent,
    )


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def choose_password(request: HttpRequest, purpose: str, token: str) -> HttpResponse:
    """Let the owner of the link choose a password, and sign them in."""
    known = purpose in set(Purpose)
    user = account_links.user_of(token, Purpose(purpose)) if known else None
    if user is None or kill_switch.is_engaged():
        return _page(
            request,
            "desk/choose_password.html",
            status=410,
            title=_("This link no longer works"),
            form=None,
        )
    form = SetPasswordForm(user, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        form.save()
        login(request, user, backend=_BACKEND)
        messages.success(request, _("Your password has been set."))
        return redirect("admin:index")
    response = _page(
        request,
        "desk/choose_password.html",
        title=_("Choose your password"),
        form=form,
        account=user,
    )
    # The address of this page is a secret.
    response["Referrer-Policy"] = "no-referrer"
    return response


def _page(
    request: HttpRequest, template: str, *, status: int = 200, **context: Any
) -> TemplateResponse:
    shown = {**admin.site.each_context(request), **context, "has_permission": False}
    return TemplateResponse(request, template, shown, status=status)
