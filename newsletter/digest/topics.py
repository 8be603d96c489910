"""Recognise headlines that already name their topic. Pure."""

from __future__ import annotations

import re

_MIN_WORD = 4
"""Letters. Shorter words ("and", "the", "па") carry no meaning here."""


def names_topic(headline: str, topic: str) -> bool:
    """Return whether the words before the headline's colon name the topic.

    "Security: influence of the army" names "Security issues", and "Бяспека: …" names
    "Пытанні бяспекі"; "Belarus: a summer" does not name "Belarus–Russia relations".
    """
    start, colon, _rest = headline.partition(":")
    headline_words, topic_words = _words(start), _words(topic)
    if not colon or not headline_words or not topic_words:
        return False
    all_from_topic = all(
        any(_same_stem(word, other) for other in topic_words) for word in headline_words
    )
    covered = sum(any(_same_stem(word, other) for other in headline_words) for word in topic_words)
    return all_from_topic and 2 * covered >= len(topic_words)


def _words(text: str) -> list[str]:
    words = re.findall(r"[^\W\d_]+", text.casefold())
    return [word for word in words if len(word) >= _MIN_WORD] or words


def _same_stem(one: str, other: str) -> bool:
    """Compare the starts of two words, because endings inflect ("бяспека", "бяспекі")."""
    shared = max(min(len(one), len(other)) - 2, min(_MIN_WORD, len(one), len(other)))
    return one[:shared] == other[:shared] and abs(len(one) - len(other)) <= 3
