"""Model fields for a chain of languages and a set of topics, stored as comma-separated text.

Readers are grouped and sorted by these columns, and both databases group short texts fast. A
mailing streams a million rows that hold a few dozen different texts, so each text is parsed once.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, TypeVar

from django.db import models

from newsletter.lib.languages import validate_language

CACHED_TEXTS = 4096

_ST = TypeVar("_ST")
"""What may be assigned to a field."""
_GT = TypeVar("_GT")
"""What an instance holds."""


def split_chain(text: str) -> tuple[str, ...]:
    """Return the languages of "be,ru", in order."""
    return tuple(code for code in text.split(",") if code)


def join_chain(chain: Iterable[str]) -> str:
    return ",".join(chain)


def split_topics(text: str) -> frozenset[int] | None:
    """Return the IDs in "3,7", or None, which means all topics, for an empty text."""
    return frozenset(map(int, text.split(","))) if text else None


def join_topics(topics: Iterable[int] | None) -> str:
    """Join the IDs in ascending order, so that equal sets are stored as equal texts."""
    return ",".join(map(str, sorted(topics or ())))


_stored_chain = lru_cache(CACHED_TEXTS)(split_chain)
_stored_topics = lru_cache(CACHED_TEXTS)(split_topics)


class _JoinedField(models.CharField[_ST, _GT]):
    """Stores a collection as comma-separated text.

    Lookups take a collection, or a text to be compared with the stored one
    (`languages__startswith="be"`). Saving takes a collection only, because code that iterates
    over an instance's text by mistake would get single characters.
    """

    def join(self, value: Any) -> str:
        raise NotImplementedError

    def get_prep_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else self.join(value)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if isinstance(value, str):
            raise TypeError(f"{self.name} takes a collection, not the text {value!r}.")
        return super().get_db_prep_save(value, connection)

    def value_to_string(self, obj: models.Model) -> str:
        return self.join(self.value_from_object(obj))

    def run_validators(self, value: Any) -> None:
        # The inherited limit on the length is one of the stored text.
        super().run_validators(self.join(value))


class LanguageChainField(_JoinedField[Iterable[str], tuple[str, ...]]):
    """A reader's languages in order of preference: a tuple of codes, stored as "be,ru"."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 100)
        kwargs.setdefault("default", ())
        super().__init__(*args, **kwargs)

    def from_db_value(
        self, value: str | None, expression: Any, connection: Any
    ) -> tuple[str, ...] | None:
        return None if value is None else _stored_chain(value)

    def to_python(self, value: Any) -> tuple[str, ...]:
        return split_chain(value) if isinstance(value, str) else tuple(value or ())

    def join(self, value: Any) -> str:
        return join_chain(value or ())

    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        super().validate(value, model_instance)
        for code in value:
            validate_language(code)


class TopicIdsField(_JoinedField[Iterable[int] | None, frozenset[int] | None]):
    """The IDs of the topics that a reader chose: a frozenset, stored as "3,7"; None means all.

    An empty set is stored like None, since a reader who deselects every topic gets all of them.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 200)
        kwargs.setdefault("default", None)
        kwargs.setdefault("blank", True)
        super().__init__(*args, **kwargs)

    def from_db_value(
        self, value: str | None, expression: Any, connection: Any
    ) -> frozenset[int] | None:
        return None if value is None else _stored_topics(value)

    def to_python(self, value: Any) -> frozenset[int] | None:
        return split_topics(value) if isinstance(value, str) else frozenset(value or ()) or None

    def join(self, value: Any) -> str:
        return join_topics(value)

    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        """Every set of numbers is valid; None is one too."""
