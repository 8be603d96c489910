"""Read an import file: JSON in UTF-8, in which no object may repeat a name."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from newsletter.editorial.importing.errors import DUPLICATE, DocumentError, Problem


def read_document(path: Path) -> object:
    """Return the parsed file, not yet validated. Raises DocumentError if it isn't JSON."""
    try:
        # Some text editors write a byte order mark, which json refuses.
        text = path.read_bytes().decode("utf-8-sig")
        return json.loads(text, object_pairs_hook=_object)
    except OSError as error:
        reason = _("The file cannot be read: %(reason)s.") % {"reason": error.strerror or error}
        raise DocumentError(Problem("", reason)) from None
    except UnicodeDecodeError:
        reason = _("The file is not a text in UTF-8. Save it in this encoding.")
        raise DocumentError(Problem("", reason)) from None
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
