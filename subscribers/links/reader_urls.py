"""Build the absolute links in emails. A mailing builds some per reader, so routes are cached.

`site` is the start of the URL: SITE_URL, except for discreet readers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from django.conf import settings
from django.urls import reverse
from django.utils import translation

from subscribers.links import tokens
from subscribers.links.tokens import LinkPurpose

MARK = "-token-"


def one_click_url(subscription_id: int, *, site: str = "") -> str:
    """Return the URL of RFC 8058's POST. A person who opens it sees the unsubscribe page."""
    return one_click_urls(site=site)(subscription_id)


def one_click_urls(*, site: str = "") -> Callable[[int], str]:
    """Return `one_click_url` for many subscriptions."""
    return _urls("one-click", settings.LANGUAGE_CODE, LinkPurpose.UNSUBSCRIBE, site)


def preferences_url(subscription_id: int, language: str, *, site: str = "") -> str:
    """Return the URL of the preferences page."""
    return preferences_urls(language, site=site)(subscription_id)


def preferences_urls(language: str, *, site: str = "") -> Callable[[int], str]:
    """Return `preferences_url` for many subscriptions."""
    return _urls("subscribers:preferences", language, LinkPurpose.PREFERENCES, site)


def confirm_url(subscription_id: int, language: str, *, site: str = "") -> str:
    """Return the URL of the page that confirms a sign-up."""
    return _urls("subscribers:confirm", language, LinkPurpose.CONFIRM, site)(subscription_id)


def account_url(subscription_id: int, language: str, *, site: str = "") -> str:
    """Return the URL of the account page."""
    return _urls("subscribers:you", language, LinkPurpose.ACCOUNT, site)(subscription_id)


def change_address_url(email_id: int, language: str, *, site: str = "") -> str:
    """Return the URL of the page that confirms a new address."""
    return _urls("subscribers:move", language, LinkPurpose.CHANGE_ADDRESS, site)(email_id)


def _urls(name: str, language: str, purpose: LinkPurpose, site: str) -> Callable[[int], str]:
    before, after = _around_token(site or settings.SITE_URL, name, language)
    token = tokens.token_maker(purpose)
    return lambda subject: before + token(subject) + after


@lru_cache(maxsize=256)
def _around_token(site_url: str, name: str, language: str) -> tuple[str, str]:
    if language not in dict(settings.LANGUAGES):
        # The site no longer has this reader's language.
        language = settings.LANGUAGE_CODE
    with translation.override(language):
        before, _mark, after = reverse(name, settings.PUBLIC_URLCONF, [MARK]).partition(MARK)
    return site_url + before, after
