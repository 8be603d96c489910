"""URLs of the pages behind a token."""

from __future__ import annotations

from django.urls import reverse
from django.utils import translation

from subscribers.links import tokens
from subscribers.links.tokens import LinkPurpose

PURPOSES = {
    "confirm": LinkPurpose.CONFIRM,
    "welcome": LinkPurpose.CONFIRM,
    "send-latest": LinkPurpose.CONFIRM,
    "preferences": LinkPurpose.PREFERENCES,
    "preview": LinkPurpose.PREFERENCES,
    "preview-email": LinkPurpose.PREFERENCES,
    "unsubscribe": LinkPurpose.UNSUBSCRIBE,
    "undo": LinkPurpose.UNSUBSCRIBE,
    "one-click": LinkPurpose.UNSUBSCRIBE,
    "one-click-without-slash": LinkPurpose.UNSUBSCRIBE,
    "account": LinkPurpose.ACCOUNT,
    "your-data": LinkPurpose.ACCOUNT,
    "unsubscribe-all": LinkPurpose.ACCOUNT,
    "delete-data": LinkPurpose.ACCOUNT,
    "change-address": LinkPurpose.ACCOUNT,
    "confirm-change": LinkPurpose.CHANGE_ADDRESS,
}
"""The URL name of each page behind a token -> the purpose of its token."""


def path_with(name: str, token: str, *, language: str = "en") -> str:
    """Return the path of a page with this token, whether or not it is valid there."""
    with translation.override(language):
        return reverse(
            name if name.startswith("one-click") else f"subscribers:{name}", args=[token]
        )


def page_path(name: str, pk: int, *, language: str = "en") -> str:
    """Return the path of a page of the subscription (or other row) with this ID."""
    return path_with(name, tokens.make(PURPOSES[name], pk), language=language)
