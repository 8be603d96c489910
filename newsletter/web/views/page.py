"""What all pages share: visitor, language, box, and how long an answer may be kept."""

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
    """Whether the visitor may see what is not public yet."""
    user = request.user
    return user.is_authenticated and user.is_staff


def render_page(
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    *,
    addresses: PageUrls,
    newsletter: Newsletter | None,
) -> HttpResponse:
    """The page with its box.

    The box holds a CSRF token of this visitor's, and staff see drafts under the same address: no
    shared cache may keep a page, and the visitor's own asks again.
    """
    box = None
    if newsletter:
        prefetch_related_objects([newsletter], "translations")
        box = SubscribeForm(newsletter, page_language())
    more = {"addresses": addresses, "box": box}
    response = render(request, template, {**context, **more})
    patch_cache_control(response, private=True, no_cache=True)
    return response


def page_query(number: int) -> str:
    """The part of an address that names a page of a list; none for the first."""
    return f"?page={number}" if number > 1 else ""
