"""Send discreet readers' emails and links under a second, neutral domain and name (DISCREET_URL,
DISCREET_SENDER, DISCREET_NAME), from the confirmation on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.utils.translation import gettext_lazy as _

from newsletter.digest import content
from newsletter.digest.discreet import neutral_issue, neutral_newsletter


class NoDiscreetDomainError(content.RenderError):
    """There are discreet readers, but no discreet domain to email them from."""


def is_configured() -> bool:
    """Return whether the site has a discreet domain."""
    return bool(settings.DISCREET_URL)


def site_of(*, discreet: bool) -> str:
    """Return the start of a reader's links."""
    return settings.DISCREET_URL if discreet and is_configured() else settings.SITE_URL


def name_of(own: str, *, discreet: bool) -> str:
    """Return the newsletter's name as this reader sees it."""
    return settings.DISCREET_NAME if discreet else own


def discreet_branding(newsletter: content.Newsletter) -> content.Newsletter:
    """Return the newsletter under its discreet name. Raises NoDiscreetDomainError if the domain was
    removed from the settings: discreet emails must not go out under the newsroom's own name."""
    if not is_configured():
        raise NoDiscreetDomainError("There are discreet readers, but DISCREET_URL is not set.")
    return neutral_newsletter(
        newsletter, name=settings.DISCREET_NAME, site_url=settings.DISCREET_URL
    )


def discreet_issue(
    issue: content.Issue, *, view_url: str, options: content.EditionOptions, today: date
) -> content.Issue:
    """Return the issue under the discreet name, for a newsletter from `discreet_branding`."""
    return neutral_issue(
        issue,
        name=settings.DISCREET_NAME,
        view_url=view_url,
        languages=(*options.chain, options.page_language),
        today=today,
    )


def add_discreet_field(form: forms.Form) -> None:
    """Add the checkbox for discreet emails, if the newsroom has a discreet domain."""
    if is_configured():
        form.fields["discreet"] = forms.BooleanField(
            label=_("Discreet emails"),
            required=False,
            help_text=_(
                "The sender, subject and links don’t mention us, and there are no pictures. "
                "The articles are the same."
            ),
        )


# --- Requests under the discreet domain -------------------------------------------------------
ALLOWED_VIEWS = frozenset({"one-click", "one-click-without-slash", "challenge", "edition"})
MAIN_DOMAIN_ONLY = frozenset(
    {"subscribe", "signup-received", "embedded", "embedded-without-slash", "embedded-received"}
)
"""Pages of this app that anyone may open, so they exist only under the newsroom's own domain."""


class DiscreetDomainMiddleware:
    """Answer 404 under the discreet domain, except to the links in discreet readers' emails. So the
    domain doesn't reveal whose it is."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        # The site's own 404 page shows its masthead.
        has_no_view = request.resolver_match is None and response.status_code == 404
        return not_found() if has_no_view and is_discreet_domain(request) else response

    def process_view(
        self, request: HttpRequest, _view: object, _args: object, _kwargs: object
    ) -> HttpResponse | None:
        match = request.resolver_match
        if match is None or not is_discreet_domain(request):
            return None
        if match.namespace == "subscribers":
            return not_found() if match.url_name in MAIN_DOMAIN_ONLY else None
        return None if match.view_name in ALLOWED_VIEWS else not_found()


def not_found() -> HttpResponse:
    """Return a 404 page without any branding."""
    return HttpResponseNotFound("Not found.\n", content_type="text/plain")


def is_discreet_domain(request: HttpRequest) -> bool:
    """Return whether the request came in under the discreet domain."""
    domain = urlsplit(settings.DISCREET_URL).netloc
    return bool(domain) and request.get_host() == domain


def reader_frame(request: HttpRequest) -> dict[str, str]:
    """Add the base template of readers' pages to the context of every template."""
    return {
        "reader_frame": "subscribers/discreet_base.html"
        if is_discreet_domain(request)
        else "web/base.html"
    }
