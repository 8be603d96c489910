"""What differs between two texts, word by word, and texts that combine two changes. Pure.

HTML is compared as words between tags. The result has the tags of the newer text only, and marks
lie between tags, so that it is as well-formed and as clean as the newer text. Paragraphs that are
the same are skipped first, which keeps the comparison of long texts short.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from html import escape

_WORDS = re.compile(r"\s+|[\w’'ʼ]+(?:-[\w’'ʼ]+)*|.", re.DOTALL)
_HTML = re.compile(r"<[^>]*>|&[^;\s<]{1,32};|\s+|[\w’'ʼ]+(?:-[\w’'ʼ]+)*|.", re.DOTALL)
_BLOCK_END = re.compile(r"(?<=</p>)|(?<=</h[2-6]>)|(?<=</li>)|(?<=</blockquote>)|(?<=</tr>)")
_BREAKS = re.compile(r"</?(?:p|h[1-6]|li|ul|ol|blockquote|tr|td|th|table|br|hr)\b")
MOST_TOKENS = 6_000
"""Above this, a passage without any unchanged paragraph is shown as replaced as a whole."""


class Kind(StrEnum):
    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True)
class Part:
    """A run of tokens that are the same in both texts, or only in the newer or older one."""

    kind: Kind
    tokens: tuple[str, ...]

    @property
    def text(self) -> str:
        return "".join(self.tokens)


def compare_words(old: str, new: str) -> list[Part]:
    """Return the parts of two plain texts, in order."""
    return list(_compare(_WORDS.findall(old), _WORDS.findall(new)))


def compare_html(old: str, new: str) -> list[Part]:
    """Return the parts of two clean HTML texts, in order; a token is a tag, a word or a space."""
    before, after = blocks_of(old), blocks_of(new)
    parts: list[Part] = []
    for tag, i1, i2, j1, j2 in _opcodes(before, after):
        older = _HTML.findall("".join(before[i1:i2]))
        newer = _HTML.findall("".join(after[j1:j2]))
        parts += [Part(Kind.SAME, tuple(newer))] if tag == "equal" else _compare(older, newer)
    return parts


def blocks_of(html: str) -> list[str]:
    """Split HTML after each paragraph, heading, list item, quotation and table row."""
    return [block for block in _BLOCK_END.split(html) if block]


def count_places(parts: Sequence[Part]) -> int:
    """Return in how many places something was added, removed or replaced."""
    changed = [part.kind != Kind.SAME for part in parts if part.text.strip()]
    return sum(now and not before for before, now in zip([False, *changed], changed, strict=False))


def words_as_html(parts: Sequence[Part]) -> str:
    """Return the parts of plain texts as HTML with `ins` and `del`."""
    return "".join(_mark(part.kind, escape(part.text, quote=False)) for part in parts)


def html_as_html(parts: Sequence[Part]) -> str:
    """Return the parts of HTML texts as HTML with `ins` and `del`, and the newer text's tags."""
    return "".join(_marked_html(part) for part in parts)


def _marked_html(part: Part) -> str:
    if part.kind == Kind.SAME:
        return part.text
    pieces, run = [], ""
    for token in part.tokens:
        if not token.startswith("<"):
            run += token
        elif part.kind == Kind.ADDED:
            pieces += [_mark(part.kind, run), token]
            run = ""
        elif _BREAKS.match(token):
            run += " "
    return "".join([*pieces, _mark(part.kind, run)])


def _mark(kind: Kind, text: str) -> str:
    if kind == Kind.SAME or not text.strip():
        # A removed space would only push words apart.
        return "" if kind == Kind.REMOVED else text
    return f"<ins>{text}</ins>" if kind == Kind.ADDED else f"<del>{text}</del>"


def _compare(old: Sequence[str], new: Sequence[str]) -> Iterator[Part]:
    if len(old) + len(new) > MOST_TOKENS:
        yield from _drop_empty(Part(Kind.REMOVED, tuple(old)), Part(Kind.ADDED, tuple(new)))
        return
    for tag, i1, i2, j1, j2 in _opcodes(old, new):
        if tag == "equal":
            yield Part(Kind.SAME, tuple(new[j1:j2]))
        else:
            removed, added = (
                Part(Kind.REMOVED, tuple(old[i1:i2])),
                Part(Kind.ADDED, tuple(new[j1:j2])),
            )
            yield from _drop_empty(removed, added)


def _drop_empty(*parts: Part) -> Iterator[Part]:
    return (part for part in parts if part.tokens)


def _opcodes(old: Sequence[str], new: Sequence[str]) -> Sequence[tuple[str, int, int, int, int]]:
    return SequenceMatcher(None, old, new, autojunk=False).get_opcodes()


# --- Combining two changes of one text ----------------------------------------------------------
@dataclass(frozen=True)
class Combined:
    """A text that contains both changes. Where they overlap, both versions follow each other."""

    text: str
    overlaps: bool


def combine_words(base: str, theirs: str, mine: str) -> Combined:
    """Combine two changes of a plain text, word by word (three-way merge)."""
    return _combine(*(_WORDS.findall(text) for text in (base, theirs, mine)), between=" ")


def combine_html(base: str, theirs: str, mine: str) -> Combined:
    """Combine two changes of an HTML text, paragraph by paragraph."""
    return _combine(blocks_of(base), blocks_of(theirs), blocks_of(mine), between="")


def _combine(
    base: Sequence[str], theirs: Sequence[str], mine: Sequence[str], *, between: str
) -> Combined:
    result: list[str] = []
    overlaps = False
    for old, their, my in _regions(base, theirs, mine):
        if their in (old, my):
            result += my
        elif my == old:
            result += their
        else:
            overlaps = True
            result += [*their, between, *my] if their and my else [*their, *my]
    return Combined("".join(result), overlaps)


def _regions(
    base: Sequence[str], theirs: Sequence[str], mine: Sequence[str]
) -> Iterator[tuple[list[str], list[str], list[str]]]:
    """Yield aligned pieces of the three texts: unstable ones, between tokens that all three share.

    This is the algorithm of diff3 (Khanna, Kunal and Pierce, 2007).
    """
    in_theirs, in_mine = _positions(base, theirs), _positions(base, mine)
    at = their_at = my_at = 0
    for index, token in enumerate(base):
        if index not in in_theirs or index not in in_mine:
            continue
        their_end, my_end = in_theirs[index], in_mine[index]
        yield list(base[at:index]), list(theirs[their_at:their_end]), list(mine[my_at:my_end])
        yield [token], [token], [token]
        at, their_at, my_at = index + 1, their_end + 1, my_end + 1
    yield list(base[at:]), list(theirs[their_at:]), list(mine[my_at:])


def _positions(base: Sequence[str], other: Sequence[str]) -> dict[int, int]:
    """Return the position in `other` of each token of `base` that is unchanged, by its index."""
    blocks = SequenceMatcher(None, base, other, autojunk=False).get_matching_blocks()
    return {block.a + n: block.b + n for block in blocks for n in range(block.size)}
