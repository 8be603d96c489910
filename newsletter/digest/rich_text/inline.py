"""Inline content as runs of text with marks, so that equal content has one form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from newsletter.digest.rich_text.table import MARKS, NOTE
from newsletter.digest.rich_text.tree import Element, Node

Marks = tuple[tuple[str, str], ...]
"""Pairs of tag and value (the URL of a link, the language of a passage, or ""), in the order of
`MARKS`."""

_SPACE = re.compile("[ \t\n\r\f]+")
_RANK = {tag: rank for rank, tag in enumerate(MARKS)}
_VALUE = {"a": "href", "span": "lang"}


@dataclass(frozen=True)
class Run:
    """Text, a line break, or a reference to the footnote named by `text`."""

    text: str
    marks: Marks = ()
    kind: Literal["text", "break", "note"] = "text"


def with_mark(marks: Marks, tag: str, value: str = "") -> Marks:
    """Return the marks with one more. It replaces another of the same kind."""
    others = tuple(mark for mark in marks if mark[0] != tag)
    return tuple(sorted((*others, (tag, value)), key=lambda mark: _RANK[mark[0]]))


def is_blank(runs: Iterable[Run]) -> bool:
    """Return whether a reader sees nothing. A no-break space alone is nothing too."""
    return all(run.kind == "break" or (run.kind == "text" and not run.text.strip()) for run in runs)


def tidy(runs: Iterable[Run]) -> list[Run]:
    """Collapse white space as browsers do: none at the edges and none next to a line break."""
    tidied: list[Run] = []
    at_edge = True
    for run in runs:
        if run.kind == "text":
            text = _SPACE.sub(" ", run.text)
            text = text.removeprefix(" ") if at_edge else text
            if not text:
                continue
            at_edge = text.endswith(" ")
            tidied.append(replace(run, text=text))
        else:
            if run.kind == "break":
                _strip_end(tidied)
            at_edge = run.kind == "break"
            tidied.append(run)
    _strip_end(tidied)
    first = next((n for n, run in enumerate(tidied) if run.kind != "break"), len(tidied))
    while tidied and tidied[-1].kind == "break":
        tidied.pop()
        _strip_end(tidied)
    return tidied[first:]


def _strip_end(runs: list[Run]) -> None:
    """Remove the space at the end."""
    while runs and runs[-1].kind == "text" and runs[-1].text.endswith(" "):
        text = runs.pop()
        if shorter := text.text.removesuffix(" "):
            runs.append(replace(text, text=shorter))


def paragraphs(runs: Iterable[Run]) -> Iterator[list[Run]]:
    """Split at two or more line breaks in a row, and tidy each part. Empty parts are left out."""
    part: list[Run] = []
    breaks: list[Run] = []
    for run in runs:
        if run.kind == "break":
            breaks.append(run)
        elif breaks and run.kind == "text" and not run.text.strip(" \t\n\r\f"):
            continue
        else:
            if len(breaks) > 1:
                yield from _unless_blank(part)
                part = []
            else:
                part += breaks
            breaks = []
            part.append(run)
    yield from _unless_blank(part)


def _unless_blank(runs: list[Run]) -> Iterator[list[Run]]:
    tidied = tidy(runs)
    if not is_blank(tidied):
        yield tidied


def to_nodes(runs: Iterable[Run], depth: int = 0) -> list[Node]:
    """Return the runs as elements, with neighbours that share a mark in one element."""
    nodes: list[Node] = []
    for mark, group in groupby(runs, key=lambda run: run.marks[depth : depth + 1]):
        if mark:
            tag, value = mark[0]
            attrs = {_VALUE[tag]: value} if tag in _VALUE else {}
            nodes.append(Element(tag, to_nodes(group, depth + 1), attrs))
            continue
        for run in group:
            nodes.append(_leaf(run))
    return nodes


def _leaf(run: Run) -> Node:
    if run.kind == "break":
        return Element("br")
    if run.kind == "note":
        link = Element("a", [run.text], {"href": f"#{NOTE}{run.text}"})
        return Element("sup", [link], {"class": "note"})
    return run.text
