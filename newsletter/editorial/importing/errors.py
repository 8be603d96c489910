"""Problems of a document, each with its location, in the active language."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError

Loc = tuple[int | str, ...]

DUPLICATE = object()
"""Replaces the value of a name that an object has more than once. Nothing validates it."""

EXCERPT = 40
"""Characters of an invalid value that an error quotes."""

REASONS = {
    "missing": _("is missing. Add it."),
    "extra_forbidden": _("is not a known name. Correct it or remove it."),
    "model_type": _("must be an object, written {…}."),
    "dict_type": _("must be an object with a value for each language or category."),
    "list_type": _("must be a list, written […]."),
    "string_type": _("must be a text in quotation marks."),
    "string_unicode": _("contains half of a damaged character. Remove it."),
    "string_too_short": _("is empty. Fill it in."),
    "too_short": _("is empty. Fill it in."),
    "string_too_long": _("is longer than %(max_length)s characters. Shorten it."),
    "int_type": _("must be a whole number."),
    "greater_than_equal": _("must be at least %(ge)s."),
    "less_than_equal": _("must be at most %(le)s."),
    "bool_type": _("must be true or false."),
    "enum": _("must be one of: %(expected)s."),
    "literal_error": _("must be one of: %(expected)s."),
    "value_error": "%(error)s",
}
"""Our messages for pydantic's error types, with placeholders for the values in their context."""

WITHOUT_EXCERPT = {"missing", "extra_forbidden", "string_too_short", "string_too_long"}


@dataclass(frozen=True)
class Problem:
    """One problem and its location, such as `issues[1].articles[0].translations.be.headline`."""

    location: str
    reason: str
    line: int | None = None
    """Its line in the file, from 1."""

    def __str__(self) -> str:
        place = self.location
        if self.line is not None:
            named = {"location": place, "line": self.line}
            place = gettext("%(location)s (line %(line)s)") % named
        return f"{place}: {self.reason}" if place else self.reason


class DocumentError(Exception):
    """All problems of a document. Nothing from it has been stored."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


class UnfitTextError(ValueError):
    """A text contains a character that can't be kept. The message quotes what is around it."""


@contextmanager
def collecting(problems: list[Problem]) -> Iterator[None]:
    """Add the problems of a DocumentError to `problems` and continue, to report all together."""
    try:
        yield
    except DocumentError as error:
        problems += error.problems


def nested_errors(reasons: list[tuple[Loc, object]]) -> ValidationError:
    """Return an error for a validator to raise, with locations below its own."""
    errors: list[Any] = [
        {"type": "value_error", "loc": loc, "input": None, "ctx": {"error": reason}}
        for loc, reason in reasons
    ]
    return ValidationError.from_exception_data("document", errors)


def to_problem(details: Mapping[str, Any]) -> Problem:
    """Convert one of pydantic's errors, with the start of the invalid value."""
    kind, loc, value = details["type"], details["loc"], details["input"]
    if loc[-1:] == ("[key]",) and kind != "extra_forbidden":
        loc = loc[:-1]  # pydantic's mark for an error in a name instead of its value
    context = dict(details.get("ctx", {}))
    if "expected" in context:  # 'week', 'weeks' or 'special'
        context["expected"] = ", ".join(re.findall(r"'([^']+)'", context["expected"]))
    reason = str(REASONS[kind]) % context if kind in REASONS else details["msg"]
    if value is DUPLICATE:
        reason = gettext("is there more than once. Keep one.")
    elif isinstance(value, (str, int, float)) and not (
        kind in WITHOUT_EXCERPT
        or isinstance(context.get("error"), UnfitTextError)
        or value in re.findall("[“«](.*?)[”»]", reason)
    ):
        found = {"reason": reason, "found": _excerpt(value)}
        reason = gettext("%(reason)s Found: %(found)s") % found
    return Problem(path_of(loc), reason)


def path_of(loc: Loc) -> str:
    """Return the location as written in code, such as `issues[1].texts.be`."""
    plain = re.compile(rf"[\w-]{{1,{EXCERPT}}}")
    steps = (
        f".{step}" if isinstance(step, str) and plain.fullmatch(step) else f"[{_excerpt(step)}]"
        for step in loc
    )
    return "".join(steps).removeprefix(".")


def _excerpt(value: object) -> str:
    """Quote the start of a text, or a number, with control characters escaped."""
    if not isinstance(value, str):
        return json.dumps(value)[:EXCERPT]
    return repr(value) if len(value) <= EXCERPT else f"{value[:EXCERPT]!r}…"
