"""Where each value of a JSON text begins, so that a problem can name its line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from newsletter.editorial.importing.errors import Loc, Problem, path_of

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)


class LineNumbers:
    """The lines of a JSON text that has been parsed without an error.

    A name that an object repeats has the line of its last occurrence.
    """

    def __init__(self, text: str) -> None:
        self._lines = {path_of(loc): line for loc, line in _values(text)}

    def locate(self, problem: Problem) -> Problem:
        """Return the problem with the line of its value, or of the closest value around it."""
        location = problem.location
        while location and location not in self._lines:
            location = re.sub(r"(?:^|\.|\[)[^.\[]*$", "", location)
        line = self._lines.get(location) if location else None
        return Problem(problem.location, problem.reason, line)


def _values(text: str) -> Iterator[tuple[Loc, int]]:
    """Yield the path and line of each value; that of an object's value is the line of its name."""
    line, at = 1, 0
    path: list[int | str] = []
    expects_name = False
    for token in _TOKEN.finditer(text):
        line += text.count("\n", at, token.start())
        at = token.start()
        sign = token[0]
        if sign in "{[":
            expects_name = sign == "{"
            path.append("" if expects_name else 0)
            if not expects_name:
                yield tuple(path), line + _line_breaks_after(token)
        elif sign in "}]":
            path.pop()
            expects_name = False
        elif sign == ",":
            last = path[-1]
            expects_name = isinstance(last, str)
            if isinstance(last, int):
                path[-1] = last + 1
                yield tuple(path), line + _line_breaks_after(token)
        elif expects_name and sign[0] == '"':
            path[-1], expects_name = str(json.loads(sign, strict=False)), False
            yield tuple(path), line


def _line_breaks_after(token: re.Match[str]) -> int:
    """Return how many lines lie between the token and the next one."""
    following = _TOKEN.search(token.string, token.end())
    return token.string.count("\n", token.end(), following.start()) if following else 0
