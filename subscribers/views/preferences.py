"""The preferences of one subscription, and the preview of an email with these preferences.

The preview is of the latest issue, or of the round-up of its month. Rendering it needs no worker
keys and stores nothing.
"""

from __future__ import annotations

from dataclasses import replace

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation

from newsletter.digest.assemble import assemble
from newsletter.digest.content import Issue, RenderedEmail, RenderError
from newsletter.digest.render_service import render_edition
from newsletter.editorial.content import issue_content, newsletter_content, round_up_content
from newsletter.editorial.schedule import Month
from newsletter.lib import placeholders
from subscribers import discreet_domain, lifecycle
from subscribers.audience import edition_options, segment_of
from subscribers.forms.preferences import PreferencesForm
from subscribers.links.tokens import LinkPurpose
from subscribers.models import Subscription
from subscribers.views.token_pages import (
    gone,
    page_context,
    path_for,
    posted,
    redirect_303,
    token_page,
)
from subscribers.views.unsubscribe import unsubscribed_page

State, Frequency = Subscription.State, Subscription.Frequency

# The frame may show the email's own pictures and inline styles, and run nothing.
EMAIL_POLICY = {
    "default-src": [NONE],
    "script-src": [NONE],
    "style-src": [UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
    "frame-ancestors": [SELF],
}


@token_page(LinkPurpose.PREFERENCES)
def preferences(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    """Show the form on GET and save it on POST."""
    if subscription.state == State.PENDING:
        return gone(request)
    if subscription.state == State.UNSUBSCRIBED:
        return unsubscribed_page(request, subscription)
    context = page_context(subscription)
    form = PreferencesForm(subscription, context["language"], posted(request))
    if form.is_valid():
        page_language = form.cleaned_data["page_language"]
        lifecycle.change(subscription.pk, page_language=page_language, **form.columns())
        return redirect_303(_url_after_saving(form, token, page_language))
    context |= {
        "form": form,
        "saved": "saved" in request.GET and not form.is_bound,
        "monthly": subscription.frequency == Frequency.MONTHLY,
        "preview": reverse("subscribers:preview", args=[token]),
        "unsubscribe": path_for("unsubscribe", LinkPurpose.UNSUBSCRIBE, subscription),
    }
    status = 422 if form.errors else 200
    return render(request, "subscribers/preferences.html", context, status=status)


def _url_after_saving(form: PreferencesForm, token: str, page_language: str) -> str:
    """Return the page's URL in the reader's (perhaps new) language. After moving a language up,
    it leads back to the list of languages, so that the reader can go on moving it."""
    fragment = "languages" if form.moved_position else "saved"
    with translation.override(page_language):
        return reverse("subscribers:preferences", args=[token]) + f"?saved=1#{fragment}"


# --- Preview ----------------------------------------------------------------------------------
@token_page(LinkPurpose.PREFERENCES)
def preview_page(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    """Show the preview in a frame, below its subject."""
    if subscription.state != State.ACTIVE:
        return gone(request)
    context = {
        **page_context(subscription),
        "monthly": subscription.frequency == Frequency.MONTHLY,
        "preview": preview(subscription),
        "email": reverse("subscribers:preview-email", args=[token]),
        "preferences": reverse("subscribers:preferences", args=[token]),
    }
    return render(request, "subscribers/preview.html", context)


@csp_replace(EMAIL_POLICY)  # type: ignore[arg-type]
@token_page(LinkPurpose.PREFERENCES)
def preview_email(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    """Return the email's HTML, for the frame on the preview page."""
    found = preview(subscription)
    if subscription.state != State.ACTIVE or found is None:
        return gone(request)
    response = HttpResponse(found.html)
    response["X-Frame-Options"] = "SAMEORIGIN"
    return response


def preview(subscription: Subscription) -> RenderedEmail | None:
    """Render the latest content as the reader would get it, with personal links that lead nowhere.
    Return None if there is no issue, it has nothing for this reader, or it can't be rendered."""
    content = _latest_content(subscription)
    if content is None:
        return None
    options = edition_options(segment_of(subscription), subscription.newsletter)
    if options.pictures == "embedded":
        # The page shows the same pictures from the site.
        options = replace(options, pictures="linked")
    today = subscription.newsletter.local_date(timezone.now())
    branding = newsletter_content(subscription.newsletter)
    url = discreet_domain.site_of(discreet=subscription.discreet)
    try:
        if subscription.discreet:
            branding = discreet_domain.discreet_branding(branding)
            content = discreet_domain.discreet_issue(
                content, view_url=url, options=options, today=today
            )
        selection = assemble(content, options)
        if selection is None:
            return None
        edition = render_edition(branding, content, selection, view_url=url, today=today)
    except RenderError:
        # The mailing of such an issue is held until an editor fixes it, so no reader would get it.
        return None
    return replace(
        edition,
        html=placeholders.PLACEHOLDER_URL.sub("#", edition.html),
        text=placeholders.PLACEHOLDER_URL.sub("…", edition.text),
    )


def _latest_content(subscription: Subscription) -> Issue | None:
    newsletter, now = subscription.newsletter, timezone.now()
    issue = newsletter.issues.latest_public(now)
    if issue is None:
        return None
    if subscription.frequency == Frequency.MONTHLY:
        month = Month.of(issue.ends_on)
        issues = newsletter.issues.public(now).for_month(month).newest_first()
        return round_up_content(month, issues, at=now)
    return issue_content(issue, at=now)
