"""The import schema: any value at any location is accepted or refused in our own words (B4)."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from newsletter.editorial.importing import DocumentError
from newsletter.editorial.importing.files import PictureFolder
from newsletter.editorial.importing.schema import validated
from tests.editorial.test_importing import ARTICLE, DOCUMENT

FULL: dict[str, Any] = {
    **DOCUMENT,
    "newsroom": {
        "name": {"en": "The Newsroom"},
        "tagline": {"en": "Words"},
        "about": {"en": "<p>Who we are</p>"},
        "privacy": {"en": "<p>Nothing is kept</p>"},
        "accent": "#123456",
        "ink": "#123456",
        "postal_address": "A street",
        "follow_links": [{"label": "Telegram", "url": "https://t.example/x"}],
    },
    "newsletter": {
        **DOCUMENT["newsletter"],
        "sender_address": "desk@news.example.org",
        "reply_to": "desk@news.example.org",
        "approval": "automatic",
        "content": "lead",
        "pictures": "none",
        "least_articles": 3,
        "sender_name": {"en": "The desk"},
        "promise": {"en": "Once a week"},
        "footer": {"en": "Goodbye"},
        "schedule": {
            "weekday": "monday",
            "time": "09:00",
            "period": "ended",
            "active": True,
        },
    },
    "issues": [
        {
            "kind": "weeks",
            "starts_on": "2017-07-24",
            "ends_on": "2017-08-06",
            "slug": "",
            "approved": True,
            "texts": {"be": {"subject": "Тэма", "preheader": "Тэкст", "introduction": "<p>x</p>"}},
            "trends": {"security": "worsened"},
            "articles": [
                {
                    **ARTICLE,
                    "original_language": "be",
                    "dateline": "week",
                    "authors": {"be": "А. Пяро"},
                    "image": {"kind": "graphic", "credit": "A. Pen", "alt": {"be": "Мапа"}},
                    "similar": ["another"],
                    "translations": {
                        "be": {
                            "headline": "Загаловак",
                            "lead": "Лід.",
                            "body": "<p>Тэкст</p>",
                            "slug": "zahalovak",
                            "authors": "А. Пяро",
                            "state": "ready",
                            "correction": "Дата",
                        }
                    },
                }
            ],
        }
    ],
    "articles": [
        {"published_at": "2017-06-01", "translations": {"en": {"headline": "Other"}}},
    ],
}
"""A document with every name, apart from files and the time zone, which take long to check."""

JUNK: list[Any] = [
    *(None, "", "x", "x" * 1000, "\0", "\ud800", 7, 10**30, 1.5, True, "9999-12-31"),
    *([], [None], {}, {"x": 1}, {"en": None}, {"\ud800": "x"}),
]


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, (dict, list)):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from paths(value[key], (*path, key))


@pytest.mark.slow
@pytest.mark.django_db
def test_every_value_is_accepted_or_refused_in_our_own_words(tmp_path: Path) -> None:
    """None of pydantic's own messages (“Input should …”) reaches an editor."""
    assert validated(FULL, PictureFolder(tmp_path)).issues[0].articles[0].key == "zahalovak"
    refused, pictures = 0, PictureFolder(tmp_path)
    for path in paths(FULL):
        for junk in JUNK:
            holder = [copy.deepcopy(FULL)]
            target: Any = holder
            for key in (steps := (0, *path))[:-1]:
                target = target[key]
            target[steps[-1]] = junk
            try:
                validated(holder[0], pictures)
            except DocumentError as error:
                refused += 1
                for problem in error.problems:
                    assert "should" not in problem.reason, (path, junk, problem)
                    assert len(str(problem)) < 300, (path, problem)
                    str(problem).encode()
    assert refused > 1000
