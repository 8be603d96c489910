"""Reading the bounce mailbox by IMAP, from a server on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

from newsletter.delivery.feedback.mail.mailboxes import Problem
from newsletter.delivery.feedback.mail.reading import read_bounce_mailbox
from newsletter.delivery.message_ids import MAILING, MessageTrace
from newsletter.lib.mailbox_url import parse_mailbox
from tests.delivery.feedback.conftest import delivery_id
from tests.delivery.feedback.mail import samples
from tests.delivery.feedback.mail.conftest import Recorder
from tests.delivery.feedback.mail.imap_server import ImapServer

pytestmark = pytest.mark.server

UNRELATED = b"From: ala@readers.example\r\nSubject: Thank you\r\n\r\nI like it.\r\n"


def bounce(reader: int) -> bytes:
    raw = samples.gmail(delivery_id(MessageTrace(MAILING, 7, reader)))
    return raw.replace(b"\n", b"\r\n")


@pytest.fixture
def imap(settings: Any) -> Iterator[ImapServer]:
    server = ImapServer()
    server.start()
    settings.BOUNCE_MAILBOX = parse_mailbox(server.url)
    cache.clear()
    yield server
    server.stop()


@pytest.mark.parametrize("capability", ["MOVE", ""])
def test_bounces_are_moved_and_other_email_stays(
    imap: ImapServer, recorder: Recorder, capability: str
) -> None:
    """With MOVE (RFC 6851), and without it; nothing is marked as read."""
    imap.can_move = bool(capability)
    imap.deliver(bounce(1), UNRELATED, bounce(2))
    status = read_bounce_mailbox(recorder)
    assert (status.problem, status.counts) == (None, {"report": 2, "unrelated": 1})
    assert imap.folders == {
        "INBOX": {2: UNRELATED},
        "Tydzen processed": {1: bounce(1), 3: bounce(2)},
    }
    assert 2 not in imap.flags
    assert [each.trace and each.trace.subscriber_id for each in recorder.feedback] == [1, 2]


def test_what_was_left_is_not_fetched_again(imap: ImapServer, recorder: Recorder) -> None:
    imap.deliver(UNRELATED)
    read_bounce_mailbox(recorder)
    imap.deliver(bounce(1))
    imap.commands.clear()
    assert read_bounce_mailbox(recorder).counts == {"report": 1}
    assert read_bounce_mailbox(recorder).counts == {}
    assert imap.commands.count("FETCH") == 2


def test_many_are_fetched_in_groups(imap: ImapServer, recorder: Recorder) -> None:
    imap.deliver(*(bounce(reader) for reader in range(1, 61)))
    assert read_bounce_mailbox(recorder).counts == {"report": 60}
    # Sizes and beginnings of 20 at a time, but no more than 50 before they are put away.
    assert imap.commands.count("FETCH") == 8
    assert imap.folders["INBOX"] == {}


def test_a_server_may_name_the_uid_behind_the_email(imap: ImapServer, recorder: Recorder) -> None:
    imap.uid_behind = True
    imap.deliver(bounce(1), bounce(2))
    assert read_bounce_mailbox(recorder).counts == {"report": 2}


def test_a_huge_email_is_not_fetched(imap: ImapServer, recorder: Recorder) -> None:
    imap.deliver(b"Subject: huge\r\n\r\n" + b"x" * 25_000_001, bounce(1))
    assert read_bounce_mailbox(recorder).counts == {"too-large": 1, "report": 1}
    assert list(imap.folders["INBOX"]) == [1]


def test_a_wrong_password_is_a_value_and_names_nobody(
    imap: ImapServer, recorder: Recorder, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.BOUNCE_MAILBOX = parse_mailbox(imap.url.replace(":right@", ":wrong@"))
    status = read_bounce_mailbox(recorder)
    assert status.problem == Problem.LOGIN_REFUSED
    assert status.mailbox == f"imap://127.0.0.1:{imap.port}/INBOX"
    assert "news.example" not in caplog.text
    assert "wrong" not in caplog.text


def test_a_missing_folder_is_a_value(imap: ImapServer, recorder: Recorder, settings: Any) -> None:
    settings.BOUNCE_MAILBOX = parse_mailbox(imap.url.replace("/INBOX", "/Bounces"))
    assert read_bounce_mailbox(recorder).problem == Problem.NO_FOLDER


def test_a_folder_that_cannot_be_made_loses_nothing(imap: ImapServer, recorder: Recorder) -> None:
    """The bounces count once, and are read again until the folder exists."""
    imap.accepts = False
    imap.deliver(bounce(1))
    for _ in range(2):
        assert read_bounce_mailbox(recorder).problem == Problem.CANNOT_MOVE
    assert len(recorder.feedback) == 1
    imap.accepts = True
    assert read_bounce_mailbox(recorder).counts == {"report": 1}
    assert imap.folders["INBOX"] == {}


def test_a_server_that_is_away_is_a_value(imap: ImapServer, recorder: Recorder) -> None:
    imap.stop()
    assert read_bounce_mailbox(recorder).problem == Problem.UNREACHABLE
    imap.start()
