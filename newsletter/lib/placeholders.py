"""The places of a mail that are filled for each reader.

An edition is rendered once with a URL of its own in each such place; a transport replaces it by
the reader's. The form is that of a URL, so that HTML, MJML and link checks take it as one, and
`.invalid` (RFC 2606) so that a place that was left unfilled leads nowhere.
"""

from __future__ import annotations

import re
from enum import StrEnum


class Placeholder(StrEnum):
    UNSUBSCRIBE = "unsubscribe"
    """The page with a button; also the one-click address of RFC 8058."""
    PREFERENCES = "preferences"
    CONFIRM = "confirm"
    ACCOUNT = "account"
    """Everything of a reader's; for a short time."""

    @property
    def url(self) -> str:
        """What stands in an edition where the reader's URL will be."""
        return f"https://{self.value}.placeholders.invalid/"


PLACEHOLDER_URL = re.compile(r"https://([a-z]+)\.placeholders\.invalid/")
