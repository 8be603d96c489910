"""Placeholders: the parts of an email that differ for each reader.

An edition is rendered once, with a URL for each placeholder, which the transport replaces with the
reader's own URL. Placeholders look like URLs so that HTML, MJML and link checks accept them, and
they end in `.invalid` (RFC 2606) so that one that was never filled leads nowhere.
"""

from __future__ import annotations

import re
from enum import StrEnum


class Placeholder(StrEnum):
    """A URL that is different for each reader."""

    UNSUBSCRIBE = "unsubscribe"
    """The page with an Unsubscribe button; also the one-click URL of RFC 8058."""
    PREFERENCES = "preferences"
    CONFIRM = "confirm"
    ACCOUNT = "account"
    """The reader's account page. This link expires soon."""
    UNSUBSCRIBE_EMAIL = "mailto"
    """The `mailto:` URL of List-Unsubscribe: an email to it unsubscribes (A7)."""

    @property
    def url(self) -> str:
        """What an edition contains until the reader's URL is filled in."""
        return f"https://{self.value}.placeholders.invalid/"


PLACEHOLDER_URL = re.compile(r"https://([a-z]+)\.placeholders\.invalid/")
