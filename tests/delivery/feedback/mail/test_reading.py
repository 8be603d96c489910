"""The bounce mailbox is read once, and what isn't for us stays untouched."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import OperationalError

from newsletter.delivery.feedback.events import Feedback
from newsletter.delivery.feedback.mail import reading
from newsletter.delivery.feedback.mail.mailboxes import Problem
from newsletter.delivery.feedback.mail.reading import MailboxStatus, read_bounce_mailbox
from newsletter.delivery.message_ids import MAILING, MessageTrace
from tests.delivery.feedback.conftest import delivery_id
from tests.delivery.feedback.mail import samples
from tests.delivery.feedback.mail.conftest import Deliver, Recorder

UNRELATED = b"From: ala@readers.example\nSubject: Thank you\n\nI like it.\n"


def bounce(reader: int) -> bytes:
    return samples.postfix(delivery_id(MessageTrace(MAILING, 7, reader)))


def snapshot(folder: Path) -> list[tuple[str, bytes]]:
    """Return the emails in a Maildir's inbox: where each one is, and its bytes."""
    inbox = [*(folder / "new").iterdir(), *(folder / "cur").iterdir()]
    return sorted((str(path), path.read_bytes()) for path in inbox)


def test_without_a_mailbox_nothing_is_read(recorder: Recorder, settings: Any) -> None:
    settings.BOUNCE_MAILBOX = None
    assert read_bounce_mailbox(recorder) == MailboxStatus()


def test_bounces_are_put_away_and_other_email_stays(deliver: Deliver, recorder: Recorder) -> None:
    """Unrelated email is counted once and left as it was."""
    first = deliver(bounce(1))
    other = deliver(UNRELATED)
    deliver(samples.reply(delivery_id(MessageTrace(MAILING, 7, 3)), subject="Out of office"))
    folder = other.parent.parent
    status = read_bounce_mailbox(recorder)
    assert status.problem is None
    assert status.counts == {"report": 1, "unrelated": 1, "automatic-reply": 1}
    assert [each.trace and each.trace.subscriber_id for each in recorder.feedback] == [1]
    assert snapshot(folder) == [(str(other), UNRELATED)]
    away = folder / ".Tydzen processed" / "cur"
    assert (away / f"{first.name}:2,S").read_bytes() == bounce(1)
    assert read_bounce_mailbox(recorder).counts == {}
    assert snapshot(folder) == [(str(other), UNRELATED)]


def test_email_that_a_program_has_marked_as_read_is_read_too(
    deliver: Deliver, recorder: Recorder
) -> None:
    path = deliver(bounce(1))
    path.rename(path.parent.parent / "cur" / f"{path.name}:2,S")
    assert read_bounce_mailbox(recorder).counts == {"report": 1}


def test_a_worker_that_dies_before_putting_away_changes_nothing(
    deliver: Deliver, recorder: Recorder
) -> None:
    """D10: the email is read again, and counts once."""
    path = deliver(bounce(1))
    folder = path.parent.parent
    kept = path.read_bytes()
    read_bounce_mailbox(recorder)
    shutil.rmtree(folder / ".Tydzen processed")
    path.write_bytes(kept)
    assert read_bounce_mailbox(recorder).counts == {"report": 1}
    assert len(recorder.feedback) == 1


def test_a_database_that_is_away_loses_nothing(deliver: Deliver, recorder: Recorder) -> None:
    deliver(UNRELATED)
    deliver(bounce(1))

    def away(feedback: Feedback) -> bool:
        raise OperationalError("the connection is lost")

    with pytest.raises(OperationalError):
        read_bounce_mailbox(away)
    assert read_bounce_mailbox(recorder).counts == {"unrelated": 1, "report": 1}


def test_an_email_that_cannot_be_recorded_does_not_stop_the_others(
    deliver: Deliver, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    deliver(bounce(1))
    deliver(bounce(2))

    def fail_for_one(feedback: Feedback) -> bool:
        if feedback.trace and feedback.trace.subscriber_id == 1:
            raise ValueError(samples.READER)
        return recorder(feedback)

    assert read_bounce_mailbox(fail_for_one).counts == {"failed": 1, "report": 1}
    assert "action=mail-failed reason=ValueError" in caplog.text
    assert read_bounce_mailbox(recorder).counts == {"report": 1}
    assert len(recorder.feedback) == 2


def test_a_cache_that_forgets_costs_only_another_look(deliver: Deliver, recorder: Recorder) -> None:
    path = deliver(UNRELATED)
    for _ in range(2):
        assert read_bounce_mailbox(recorder).counts == {"unrelated": 1}
        cache.clear()
    assert path.read_bytes() == UNRELATED


def test_a_long_queue_is_read_in_portions(
    deliver: Deliver, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LIMIT", 5)
    monkeypatch.setattr(reading, "CHUNK", 2)
    for reader in range(1, 13):
        deliver(UNRELATED if reader % 4 == 0 else bounce(reader))
    rounds = [read_bounce_mailbox(recorder) for _ in range(4)]
    assert [sum(status.counts.values()) for status in rounds] == [5, 5, 2, 0]
    assert [status.waiting for status in rounds] == [7, 2, 0, 0]
    assert len(recorder.feedback) == 9


def test_a_huge_email_is_counted_and_left(deliver: Deliver, recorder: Recorder) -> None:
    """50 MB, without reading it."""
    path = deliver(bounce(1))
    with path.open("r+b") as file:
        file.truncate(50_000_000)
    assert read_bounce_mailbox(recorder).counts == {"too-large": 1}
    assert path.stat().st_size == 50_000_000
    assert recorder.feedback == []


def test_only_the_beginning_of_a_large_email_is_read(deliver: Deliver, recorder: Recorder) -> None:
    path = deliver(bounce(1))
    with path.open("r+b") as file:
        file.truncate(20_000_000)
    assert read_bounce_mailbox(recorder).counts == {"report": 1}


def test_one_outage_is_one_line(
    deliver: Deliver, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    folder = deliver(bounce(1)).parent.parent
    gone = folder.rename(folder.with_name("elsewhere"))
    problems = [read_bounce_mailbox(recorder).problem for _ in range(3)]
    assert problems == [Problem.NO_FOLDER] * 3
    assert caplog.text.count("mailbox-unavailable") == 1
    assert "Traceback" not in caplog.text
    gone.rename(folder)
    assert read_bounce_mailbox(recorder).problem is None
    assert read_bounce_mailbox(recorder).problem is None
    assert caplog.text.count("mailbox-available-again") == 1


def test_two_workers_do_not_read_at_once(deliver: Deliver, recorder: Recorder) -> None:
    deliver(bounce(1))
    inner: list[MailboxStatus] = []

    def read_again(feedback: Feedback) -> bool:
        inner.append(read_bounce_mailbox(recorder))
        return recorder(feedback)

    assert read_bounce_mailbox(read_again).counts == {"report": 1}
    assert [status.counts for status in inner] == [{}]
