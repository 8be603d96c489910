"""Whether a headline already says its topic. Pure."""

from __future__ import annotations

import re

_SIGNIFICANT = 4
"""Shorter words ("and", "the", "па") tell nothing."""


def names_topic(headline: str, topic: str) -> bool:
    """Whether the words before the headline's colon name the topic.

    "Security: influence of the army" names "Security issues", and "Бяспека: …" names
    "Пытанні бяспекі"; "Belarus: a summer" does not name "Belarus–Russia relations".
    """
    beginning, colon, _rest = headline.partition(":")
    said, meant = _words(beginning), _words(topic)
    if not colon or not said or not meant:
        return False
    all_meant = all(any(_same_stem(word, other) for other in meant) for word in said)
    covered = sum(any(_same_stem(word, other) for other in said) for word in meant)
    return all_meant and 2 * covered >= len(meant)


def _words(text: str) -> list[str]:
    words = re.findall(r"[^\W\d_]+", text.casefold())
    return [word for word in words if len(word) >= _SIGNIFICANT] or words


def _same_stem(one: str, other: str) -> bool:
    """Endings differ ("бяспека", "бяспекі"), beginnings do not."""
    shared = max(min(len(one), len(other)) - 2, min(_SIGNIFICANT, len(one), len(other)))
    return one[:shared] == other[:shared] and abs(len(one) - len(other)) <= 3
