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

ROUTES = {
    LinkPurpose.CONFIRM: "subscribers:confirm",
    LinkPurpose.UNSUBSCRIBE: "one-click",
    LinkPurpose.PREFERENCES: "subscribers:preferences",
    LinkPurpose.ACCOUNT: "subscribers:account",
    LinkPurpose.CHANGE_ADDRESS: "subscribers:confirm-change",
}
MARK = "-token-"


def url(purpose: LinkPurpose, subject: int, language: str, *, site: str = "") -> str:
    """Return the URL of a page for one subscription; for CHANGE_ADDRESS, for one email."""
    return _urls(purpose, language, site)(subject)


def one_click_urls(*, site: str = "") -> Callable[[int], str]:
    """Return `url` for many subscriptions: RFC 8058's POST. A person who opens it sees the
    unsubscribe page."""
    return _urls(LinkPurpose.UNSUBSCRIBE, "", site)


def preferences_urls(language: str, *, site: str = "") -> Callable[[int], str]:
    """Return `url` for many subscriptions: the preferences page."""
    return _urls(LinkPurpose.PREFERENCES, language, site)


def _urls(purpose: LinkPurpose, language: str, site: str) -> Callable[[int], str]:
    before, after = _around_token(site or settings.SITE_URL, ROUTES[purpose], language)
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
