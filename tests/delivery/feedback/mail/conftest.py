"""A recorder of feedback, and a Maildir."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache

from newsletter.delivery.feedback.events import Feedback
from newsletter.lib.mailbox_url import parse_mailbox


class Recorder:
    """Keeps each piece of feedback once, by its key (D10)."""

    def __init__(self) -> None:
        self.feedback: list[Feedback] = []
        self.repeated = 0

    def __call__(self, feedback: Feedback) -> bool:
        if any(each.key == feedback.key for each in self.feedback):
            self.repeated += 1
            return False
        self.feedback.append(feedback)
        return True


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


Deliver = Callable[..., Path]


@pytest.fixture
def deliver(tmp_path: Path, settings: Any) -> Deliver:
    """A function that delivers an email to the configured Maildir, and returns its path."""
    folder = tmp_path / "Maildir"
    for name in ("new", "cur", "tmp"):
        (folder / name).mkdir(parents=True)
    settings.BOUNCE_MAILBOX = parse_mailbox(f"maildir://{folder}")
    cache.clear()

    def put(raw: bytes) -> Path:
        number = sum(1 for _ in folder.rglob("1501*"))
        path = folder / "new" / f"1501{number:06}.M1P1.mx"
        path.write_bytes(raw)
        return path

    return put
