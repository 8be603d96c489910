"""Shared by all pages: language, visitor, sign-up box, caching."""

from __future__ import annotations

from typing import Any

from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.utils.translation import get_language

from newsletter.editorial.models import Newsletter
from newsletter.web.page_urls import PageUrls, site_languages
from subscribers.forms.signup import SubscribeForm


def page_language() -> str:
    return get_language() or site_languages()[0]


def is_staff(request: HttpRequest) -> bool:
    """Tell whether the visitor may see what isn't public yet."""
    user = request.user
    return user.is_authenticated and user.is_staff


def render_page(
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    *,
    urls: PageUrls,
    newsletter: Newsletter | None,
) -> HttpResponse:
    """Render the page with its sign-up box.

    The box contains the visitor's CSRF token, and staff see drafts at the same URL. So shared
    caches must not store the page, and browsers must revalidate it.
    """
    box = None
    if newsletter:
        prefetch_related_objects([newsletter], "translations")
        box = SubscribeForm(newsletter, page_language())
    response = render(request, template, {**context, "urls": urls, "box": box})
    patch_cache_control(response, private=True, no_cache=True)
    return response


def page_query(number: int) -> str:
    """Return the query string of a page in a list; "" for the first page."""
    return f"?page={number}" if number > 1 else ""
