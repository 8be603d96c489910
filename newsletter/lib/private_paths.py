"""The paths that are not for everybody: most of them hold a reader's token.

robots.txt names them, and Django's log lines, which repeat paths, leave out what follows.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable

PRIVATE_PREFIXES = ("admin", "inbox", "u")
LOCALIZED_PRIVATE_PREFIXES = ("confirm", "move", "preferences", "unsubscribe", "you")
"""The first part of every private path, without and with a language's prefix before it
(tests/web/test_robots.py compares these with the URL conf)."""

TOKEN_IN_PATH = re.compile(rf"(/(?:u|{'|'.join(LOCALIZED_PRIVATE_PREFIXES)})/)[^/\s]+")


def private_paths(languages: Iterable[str]) -> list[str]:
    """What each private path begins with. Every language is named: a pattern such as /*/move/
    would also hide the article whose slug is “move”."""
    in_languages = [f"/{code}/{name}/" for code in languages for name in LOCALIZED_PRIVATE_PREFIXES]
    return [*(f"/{name}/" for name in PRIVATE_PREFIXES), *in_languages]


def redact_tokens(path: str) -> str:
    """The path with “…” in place of a reader's token."""
    return TOKEN_IN_PATH.sub(r"\1…", path)


class PrivacyFilter(logging.Filter):
    """Keeps readers' tokens out of Django's log (G8), which repeats the path of every page that
    is not found or that fails; and tracebacks of what a visitor did wrong, such as naming another
    host, which would let anybody fill the log."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("django.") and isinstance(record.args, tuple):
            record.args = tuple(
                redact_tokens(each) if isinstance(each, str) else each for each in record.args
            )
        if record.name.startswith("django.security."):
            record.exc_info = record.exc_text = None
        return True
