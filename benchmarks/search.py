"""How long the desk's search takes with 5,000 articles in three languages.

    .venv/bin/python -m benchmarks.search

Uses the empty database in DATABASE_URL, or SQLite in a temporary folder; ARTICLES changes the
number. Each search is the count and the first page of 100 rows, as a list shows them. Prints the
fastest of 40 runs, their median, and the CPU time of this process and the database's backend, on
average. The goal is 50 ms for the median; on a busy machine, compare the CPU time instead. Exits
with status 1 if a search takes longer than that on a machine that is quiet.
"""

from __future__ import annotations

import itertools
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.processes import cpu_seconds, is_quiet, machine

if TYPE_CHECKING:
    from django.db.models import QuerySet

ARTICLES = int(os.environ.get("ARTICLES", "5000"))
RUNS = 40
GOAL = 50.0
WORDS = 450
"""In each text."""
ALPHABETS = {
    "en": "abcdefghijklmnopqrstuvwxyz",
    "be": "абвгдежзійклмнопрстуўфхцчшыьэюя",
    "ru": "абвгдежзийклмнопрстуфхцчшщыьэюя",
}
KNOWN = {"en": "Council", "be": "Савет", "ru": "Совет"}
SEARCHES = {
    "a word of one article": "савет5",
    "a word of every headline": "савет",
    "a word of every text": "беларусь",
    "two words": "рэдкі беларусь",
    "a beginning that is everywhere": "бе",
    "two letters of many words": "ма",
    "an apostrophe": "сям'я",
    "sixteen words": " ".join(["беларусь", "савет", *(f"слова{n}" for n in range(14))]),
    "10 KB": "беларусь " * 1200,
    "operators": '"* NEAR(a:b) ^ & | !',
    "nothing to find": "няматакога",
    "a week": "9–15 November 2026",
    "a month": "лістапад",
}


def vocabulary(language: str) -> list[str]:
    """Return 20,000 words of a made-up language, the same in each run."""
    draw = random.Random(language)  # noqa: S311 - text, no secret
    letters = ALPHABETS[language]
    return ["".join(draw.choices(letters, k=draw.randint(2, 11))) for _ in range(20_000)]


def fill() -> None:
    """Store issues with twenty articles each, in three languages."""
    from newsletter.editorial.models import Article, ArticleTranslation, Issue, Newsletter

    newsletter = Newsletter.objects.create(slug="weekly", languages=["en", "be", "ru"])
    # Zipf's law: the second word is half as frequent as the first.
    weights = list(itertools.accumulate(1 / rank for rank in range(1, 20_001)))
    draw = random.Random(1)  # noqa: S311
    known = {code: vocabulary(code) for code in ALPHABETS}
    for start in range(0, ARTICLES, 20):
        monday = date(2026, 11, 9) - timedelta(weeks=start // 20)
        issue = Issue.objects.create(
            newsletter=newsletter, starts_on=monday, ends_on=monday + timedelta(6)
        )
        articles = Article.objects.bulk_create(
            Article(
                newsletter=newsletter,
                issue=issue,
                original_language="be",
                position=number - start,
                published_at=datetime.combine(monday, datetime.min.time(), UTC),
            )
            for number in range(start, min(start + 20, ARTICLES))
        )
        texts = []
        for number, article in enumerate(articles, start):
            for code, words in known.items():
                body = [*draw.choices(words, cum_weights=weights, k=WORDS), "Беларусь", "Сям’я"]
                body += ["рэдкі"] if number % 50 == 0 else []
                texts.append(
                    ArticleTranslation(
                        article=article,
                        language=code,
                        headline=f"{KNOWN[code]}{number} {KNOWN[code]}",
                        slug=f"{code}-{number}",
                        lead=" ".join(draw.choices(words, cum_weights=weights, k=30)),
                        body=f"<p>{' '.join(body)}</p>",
                    )
                )
        ArticleTranslation.objects.bulk_create(texts)


@dataclass(frozen=True)
class Timing:
    """In milliseconds."""

    fastest: float
    median: float
    cpu: float
    results: int


def measure(search: Callable[[], QuerySet[Any]], backend: int | None) -> Timing:
    """Run the search; `backend` is the process ID of the database's backend, if it has one."""
    durations = []
    results = 0
    cpu = cpu_of(backend)
    for _run in range(RUNS):
        started = time.perf_counter()
        found = search()
        results = found.count()
        list(found[:100])
        durations.append((time.perf_counter() - started) * 1000)
    spent = (cpu_of(backend) - cpu) * 1000 / RUNS
    return Timing(min(durations), statistics.median(durations), spent, results)


def cpu_of(backend: int | None) -> float:
    return cpu_seconds() + (cpu_seconds(backend) if backend else 0)


def main() -> int:
    from django.core.management import call_command
    from django.db import connection

    from newsletter.editorial.finders import find_articles, find_issues
    from newsletter.editorial.models import Article, Issue

    call_command("migrate", verbosity=0)
    started = time.perf_counter()
    fill()
    print(f"{connection.vendor}: {ARTICLES} articles × 3 in {time.perf_counter() - started:.0f} s")
    print(machine())
    backend = None
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
            cursor.execute("SELECT pg_backend_pid()")
            [backend] = cursor.fetchone()
    quiet = is_quiet()
    is_slow = False
    for name, text in SEARCHES.items():
        searches: dict[str, Callable[[], QuerySet[Any]]] = {
            "articles": partial(find_articles, Article.objects.all(), text),
            "issues": partial(find_issues, Issue.objects.all(), text),
        }
        for kind, search in searches.items():
            timing = measure(search, backend)
            is_slow |= timing.median > GOAL
            found = f"{timing.results} {kind}"
            print(
                f"{name:31} {found:>13}  fastest {timing.fastest:6.1f}"
                f"  median {timing.median:6.1f}  CPU {timing.cpu:5.1f} ms"
            )
    return int(is_slow and quiet)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.settings")
        os.environ["VAR_DIR"] = str(Path(folder))
        import django

        django.setup()
        sys.exit(main())
