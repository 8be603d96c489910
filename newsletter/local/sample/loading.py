"""Load the sample newsroom, which a new user sees before their own content."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction

from newsletter.editorial.importing import ImportReport, import_document
from newsletter.editorial.models import Newsletter, Newsroom
from subscribers import lifecycle
from subscribers.models import Subscription

HERE = Path(__file__).resolve().parent


class NewsroomExistsError(Exception):
    """A newsroom exists already, and the sample would mix with it."""


@dataclass(frozen=True)
class SampleReader:
    """A reader. `choices` are the subscription fields that differ from their defaults."""

    name: str
    languages: tuple[str, ...]
    choices: dict[str, Any]

    @property
    def address(self) -> str:
        return f"{self.name}@example.org"


READERS = (
    SampleReader("emma", ("en",), {}),
    SampleReader("jonas", ("en",), {"plain_text": True}),
    SampleReader("claire", ("en",), {"content": Subscription.Content.FULL}),
    SampleReader("alena", ("be", "ru"), {}),
    SampleReader("yanka", ("be", "ru"), {}),
    SampleReader("maryna", ("be", "ru"), {"pictures": False}),
    SampleReader("viktar", ("be",), {}),
    SampleReader("olga", ("ru", "be"), {}),
    SampleReader("sergei", ("ru", "be"), {"plain_text": True}),
    SampleReader("irina", ("ru",), {"content": Subscription.Content.FULL}),
    SampleReader("natallia", ("be", "en"), {}),
    SampleReader("thomas", ("en", "be", "ru"), {}),
    SampleReader("hanna", ("be", "ru"), {"frequency": Subscription.Frequency.MONTHLY}),
)


def document() -> dict[str, Any]:
    """Return the sample in the format of the issue import."""
    text = (HERE / "newsroom.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def latest_issue() -> tuple[str, str]:
    """Return the slug of the sample's newsletter and the Monday of its latest issue."""
    data = document()
    return data["newsletter"]["slug"], max(issue["starts_on"] for issue in data["issues"])


def load() -> ImportReport:
    """Store the sample newsroom and its readers in one transaction.

    Raises NewsroomExistsError, or SealedError if this process has no worker keys.
    """
    with transaction.atomic():
        if Newsroom.objects.exists():
            raise NewsroomExistsError
        report = import_document(document(), base=HERE)
        Newsroom.objects.update(is_sample=True)
        newsletter = Newsletter.objects.get(slug=latest_issue()[0])
        for reader in READERS:
            _add(reader, newsletter)
    return report


def _add(reader: SampleReader, newsletter: Newsletter) -> None:
    subscription = lifecycle.add_confirmed(
        reader.address,
        newsletter=newsletter,
        languages=reader.languages,
        page_language=reader.languages[0],
        source=Subscription.Source.SAMPLE,
    )
    Subscription.objects.filter(pk=subscription.pk).update(**reader.choices)
