"""Read an import file: JSON in UTF-8 or UTF-16, in which no object may repeat a name."""

from __future__ import annotations

import codecs
import json
from collections import Counter
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from newsletter.editorial.importing.errors import DUPLICATE, DocumentError, Problem

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_UTF_32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)


def read_document(path: Path) -> object:
    """Return the parsed file, not yet validated. Raises DocumentError if it isn't JSON."""
    return parse_document(read_text(path))


def read_text(path: Path) -> str:
    """Return the file's text. Raises DocumentError if it isn't in UTF-8, or UTF-16 with a BOM."""
    try:
        content = path.read_bytes()
        # Some text editors write a byte order mark, which json refuses.
        is_utf_16 = content.startswith(_UTF_16) and not content.startswith(_UTF_32)
        text = content.decode("utf-16" if is_utf_16 else "utf-8-sig")
    except OSError as error:
        reason = _("The file cannot be read: %(reason)s.") % {"reason": error.strerror or error}
        raise DocumentError(Problem("", reason)) from None
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:  # decoded, but wrongly: UTF-16 without a byte order mark
        reason = _(
            "The file is in an encoding other than UTF-8 or UTF-16. Open it in the program that "
            "made it or in a text editor, and save it with the encoding UTF-8."
        )
        raise DocumentError(Problem("", reason)) from None
    return text


def parse_document(text: str) -> object:
    """Return what the JSON text describes. Raises DocumentError if it isn't JSON."""
    try:
        return json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        location = _("line %(line)s, column %(column)s") % {
            "line": error.lineno,
            "column": error.colno,
        }
        reason = _("This is not valid JSON. Correct it here or just before: %(reason)s")
        raise DocumentError(Problem(location, reason % {"reason": error.msg})) from None
    except (RecursionError, ValueError):  # ValueError: a number with thousands of digits
        reason = _("The file is nested too deeply, or contains a number that is too long.")
        raise DocumentError(Problem("", reason)) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    counts = Counter(name for name, _value in pairs)
    return {name: value if counts[name] == 1 else DUPLICATE for name, value in pairs}
