"""Absolute links for mails. A send-out makes some per reader, so no route is resolved for each.

`site` is the address they begin with: SITE_URL, but for discreet readers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from django.conf import settings
from django.urls import reverse
from django.utils import translation

from subscribers.links import tokens
from subscribers.links.tokens import Purpose

MARK = "-token-"


def one_click_url(subscription_id: int, *, site: str = "") -> str:
    """The address of RFC 8058's POST; opened by a person it shows the page with the button."""
    return one_click_urls(site=site)(subscription_id)


def one_click_urls(*, site: str = "") -> Callable[[int], str]:
    """`one_click_url` for many subscriptions at a time."""
    return _links("one-click", settings.LANGUAGE_CODE, Purpose.UNSUBSCRIBE, site)


def preferences_url(subscription_id: int, language: str, *, site: str = "") -> str:
    return preferences_urls(language, site=site)(subscription_id)


def preferences_urls(language: str, *, site: str = "") -> Callable[[int], str]:
    """`preferences_url` for many subscriptions at a time."""
    return _links("subscribers:preferences", language, Purpose.PREFERENCES, site)


def confirm_url(subscription_id: int, language: str, *, site: str = "") -> str:
    return _link("subscribers:confirm", language, Purpose.CONFIRM, subscription_id, site)


def account_url(subscription_id: int, language: str, *, site: str = "") -> str:
    """Everything of a reader's, for four hours."""
    return _link("subscribers:account", language, Purpose.FRESH, subscription_id, site)


def change_address_url(email_id: int, language: str, *, site: str = "") -> str:
    """Where a new address is confirmed."""
    return _link("subscribers:confirm-change", language, Purpose.MOVE, email_id, site)


def _link(name: str, language: str, purpose: Purpose, subject: int, site: str) -> str:
    return _links(name, language, purpose, site)(subject)


def _links(name: str, language: str, purpose: Purpose, site: str) -> Callable[[int], str]:
    before, after = _around(site or settings.SITE_URL, name, language)
    token = tokens.token_maker(purpose)
    return lambda subject: before + token(subject) + after


@lru_cache(maxsize=256)
def _around(site_url: str, name: str, language: str) -> tuple[str, str]:
    """What stands before and after the token."""
    if language not in dict(settings.LANGUAGES):
        # A reader whose language the site no longer has.
        language = settings.LANGUAGE_CODE
    with translation.override(language):
        before, _mark, after = reverse(name, settings.PUBLIC_URLCONF, [MARK]).partition(MARK)
    return site_url + before, after
