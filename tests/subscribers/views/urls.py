"""URLs of the pages behind a token."""

from __future__ import annotations

from django.urls import reverse
from django.utils import translation

from subscribers.links import tokens
from subscribers.links.tokens import Purpose

PURPOSES = {
    "confirm": Purpose.CONFIRM,
    "welcome": Purpose.CONFIRM,
    "send-latest": Purpose.CONFIRM,
    "preferences": Purpose.PREFERENCES,
    "preview": Purpose.PREFERENCES,
    "preview-email": Purpose.PREFERENCES,
    "unsubscribe": Purpose.UNSUBSCRIBE,
    "undo": Purpose.UNSUBSCRIBE,
    "one-click": Purpose.UNSUBSCRIBE,
    "one-click-without-slash": Purpose.UNSUBSCRIBE,
    "account": Purpose.FRESH,
    "your-data": Purpose.FRESH,
    "unsubscribe-all": Purpose.FRESH,
    "delete-data": Purpose.FRESH,
    "change-address": Purpose.FRESH,
    "confirm-change": Purpose.MOVE,
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
