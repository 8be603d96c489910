"""A real Postfix bounces 14 of 500, and each of the 14 is found (D6)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

from newsletter.delivery.feedback.mail.reading import read_bounce_mailbox
from newsletter.delivery.message_ids import MAILING, MessageTrace
from newsletter.delivery.models import Event
from newsletter.lib.mailbox_url import parse_mailbox
from newsletter.transport import registry
from newsletter.transport.outcomes import Fault, Recipient, Result
from tests.delivery.feedback.conftest import delivery_id
from tests.delivery.feedback.mail.conftest import Recorder
from tests.delivery.feedback.mail.postfix_maildir import BOUNCES, DeliveringPostfix
from tests.transport.cast import make_email, urls
from tests.transport.smtp.postfix import unavailable_reason

pytestmark = [
    pytest.mark.server,
    pytest.mark.slow,
    pytest.mark.skipif(
        bool(unavailable_reason()), reason=unavailable_reason() or "it can be started"
    ),
]

READERS = 500
GONE = range(3, READERS, 36)
"""The readers whom Postfix doesn't know: 14."""


def recipient(number: int) -> Recipient:
    identity = delivery_id(MessageTrace(MAILING, 7, number + 1))
    return Recipient(number, f"r{number}@readers.example", identity, urls(identity))


@pytest.fixture
def postfix() -> Iterator[DeliveringPostfix]:
    relay = DeliveringPostfix(
        f"r{number}@readers.example" for number in range(READERS) if number not in GONE
    )
    yield relay
    relay.close()


def wait_for_bounces(postfix: DeliveringPostfix) -> None:
    until = time.monotonic() + 60
    while len(list((postfix.maildir / "new").iterdir())) < len(GONE):
        assert time.monotonic() < until, (postfix.folder / "log").read_text()[-2000:]
        time.sleep(0.2)


def test_14_of_500_bounce(postfix: DeliveringPostfix, recorder: Recorder, settings: Any) -> None:
    """D6: sent with VERP, bounced by Postfix, delivered to a Maildir, and read from there."""
    options = f"starttls=demand&ca={postfix.trusted}&connections=4&return_path={BOUNCES}"
    transport = registry.from_url(f"smtp://127.0.0.1:{postfix.ports['data']}?{options}")
    results = list(transport.send(transport.compile(make_email()), map(recipient, range(READERS))))
    transport.close()
    assert [each.result for each in results] == [Result.SENT] * READERS
    wait_for_bounces(postfix)
    cache.clear()
    settings.BOUNCE_MAILBOX = parse_mailbox(f"maildir://{postfix.maildir}")
    assert read_bounce_mailbox(recorder).counts == {"report": len(GONE)} == {"report": 14}
    assert {each.trace for each in recorder.feedback} == {
        MessageTrace(MAILING, 7, number + 1) for number in GONE
    }
    assert {(each.kind, each.fault, each.status) for each in recorder.feedback} == {
        (Event.Kind.BOUNCED, Fault.READER, "5.1.1")
    }
