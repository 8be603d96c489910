"""The pages before the desk: the password, the code, a forgotten password and a new one."""

from __future__ import annotations

from typing import Any

from allauth.account.utils import get_next_redirect_url
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.internal.flows import trust
from allauth.mfa.models import Authenticator
from django import forms
from django.conf import settings
from django.contrib.auth.forms import SetPasswordForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters

from newsletter.delivery.models import PasswordGuessing, StaffEmail
from newsletter.delivery.oversight import kill_switch
from newsletter.delivery.oversight.problems import GUESSED_LATELY
from newsletter.delivery.transactional import staff_mail
from newsletter.desk.sign_in.adapters import begin_session
from newsletter.desk.sign_in.forms import ForgottenForm, SignInForm
from newsletter.desk.sign_in.throttle import resets_of
from newsletter.editorial.models import User


def _door(request: HttpRequest, template: str, **context: Any) -> TemplateResponse:
    return TemplateResponse(
        request, f"desk/sign_in/{template}", {"desk_title": settings.ADMIN_TITLE, **context}
    )


@sensitive_post_parameters("password")
@never_cache
@csrf_protect
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask for the name and the password; the second factor, if there is one, comes after."""
    target = get_next_redirect_url(request)
    if request.user.is_authenticated and request.user.is_staff:
        return HttpResponseRedirect(target or reverse("admin:index"))
    form = SignInForm(request, data=request.POST or None)
    if request.method == "POST" and form.is_valid():
        return begin_session(request, form.get_user(), target)
    return _door(request, "sign_in.html", form=form, target=target or "", title=_("Sign in"))


class CodeView(AuthenticateView):  # type: ignore[misc]  # untyped
    """Asks for the second factor. A box spares the question in this browser for 30 days."""

    template_name = "desk/sign_in/code.html"

    def form_valid(self, form: forms.Form) -> HttpResponse:
        form.save()  # type: ignore[attr-defined]
        user = self.stage.login.user
        response: HttpResponse = self.stage.exit()
        if "trust" in self.request.POST and self.request.user.is_authenticated:
            trust.trust_browser(self.request, user, response)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        user = self.stage.login.user
        kinds = set(Authenticator.objects.filter(user=user).values_list("type", flat=True))
        since = timezone.now() - GUESSED_LATELY
        guessing = PasswordGuessing.objects.filter(user=user, last_at__gt=since).first()
        return context | {
            "title": _("Enter your code"),
            "desk_title": settings.ADMIN_TITLE,
            "has_passkey": Authenticator.Type.WEBAUTHN in kinds,
            "guessing": guessing,
        }


@never_cache
@csrf_protect
def forgotten(request: HttpRequest) -> HttpResponse:
    """Have a link for a new password emailed, and answer the same for every address."""
    form = ForgottenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        _email_links(request, form.cleaned_data["email"])
        return HttpResponseRedirect(reverse("password_requested"))
    return _door(request, "forgotten.html", form=form, title=_("Forgotten password"))


def _email_links(request: HttpRequest, email: str) -> None:
    counters = resets_of(request, email)
    if any(counter.seconds_to_wait() for counter in counters):
        return
    for counter in counters:
        counter.count()
    staff = User.objects.filter(email__iexact=email, is_active=True, is_staff=True)
    users = [] if kill_switch.is_engaged() else list(staff)
    staff_mail.queue(StaffEmail.Kind.RESET, users, get_language() or settings.LANGUAGE_CODE)


@never_cache
def requested(request: HttpRequest) -> HttpResponse:
    return _door(request, "requested.html", title=_("Look in your mailbox"))


@sensitive_post_parameters()
@never_cache
@csrf_protect
def choose_password(request: HttpRequest, token: str) -> HttpResponse:
    """Let whoever has the link choose a password; it doesn't sign them in."""
    found = staff_mail.user_of_token(token)
    if found is None or kill_switch.is_engaged():
        return _door(request, "link_void.html", title=_("This link no longer works"))
    user, kind = found
    form = SetPasswordForm(user, request.POST or None)
    for field in form.fields.values():
        field.widget.attrs["class"] = "input"
    if request.method == "POST" and form.is_valid():
        form.save()
        return HttpResponseRedirect(f"{reverse('account_login')}?chosen")
    is_new = kind == StaffEmail.Kind.INVITATION
    title = _("Choose your password") if is_new else _("Choose a new password")
    return _door(request, "choose_password.html", form=form, account=user, title=title)
