"""Private paths, most of which contain a reader's token.

robots.txt disallows them, and tokens are removed from the paths in Django's log lines.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable

PRIVATE_PREFIXES = ("admin", "inbox", "u")
LOCALIZED_PRIVATE_PREFIXES = ("account", "confirm", "new-address", "preferences", "unsubscribe")
"""The first segment of every private path, without and with a language before it.
tests/web/test_robots.py compares them with the URL conf."""

TOKEN_IN_PATH = re.compile(
    rf"(/(?:u|admin/password/\w+|{'|'.join(LOCALIZED_PRIVATE_PREFIXES)})/)[^/\s]+"
)


def private_paths(languages: Iterable[str]) -> list[str]:
    """Return the prefixes of all private paths.

    Every language is listed, because a pattern such as /*/account/ would also hide an article with
    the slug “account”.
    """
    in_languages = [f"/{code}/{name}/" for code in languages for name in LOCALIZED_PRIVATE_PREFIXES]
    return [*(f"/{name}/" for name in PRIVATE_PREFIXES), *in_languages]


def redact_tokens(path: str) -> str:
    """Replace a reader's token in the path with “…”."""
    return TOKEN_IN_PATH.sub(r"\1…", path)


class PrivacyFilter(logging.Filter):
    """Removes readers' tokens from Django's log records (G8), and tracebacks of bad requests.

    Django logs the path of every page that is missing or fails. A traceback for each bad request,
    for instance with a wrong Host header, would let anybody fill the log.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("django.") and isinstance(record.args, tuple):
            record.args = tuple(
                redact_tokens(each) if isinstance(each, str) else each for each in record.args
            )
        if record.name.startswith("django.security."):
            record.exc_info = record.exc_text = None
        return True
