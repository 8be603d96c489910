"""Hard or soft, and whose fault: by the status, else the words, else the code (D2, D7)."""

from __future__ import annotations

import pytest

from newsletter.delivery.feedback.mail.refusals import from_status_block, from_text
from newsletter.delivery.models import Event
from newsletter.transport.outcomes import Fault

HARD, SOFT, GIVEN = Event.Kind.BOUNCED, Event.Kind.DEFERRED, Event.Kind.DELIVERED
READER, SENDER, MESSAGE, NONE = Fault.READER, Fault.SENDER, Fault.MESSAGE, Fault.NONE
RELAY, SPEED = Fault.RELAY, Fault.SPEED


@pytest.mark.parametrize(
    ("status", "diagnostic", "kind", "fault"),
    [
        *[
            (status, "smtp; 550 no", HARD, READER)
            for status in ("5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.4.4")
        ],
        # The mailbox is full, or the server gave up: soft whatever the class says.
        ("5.2.2", "smtp; 552 5.2.2 over quota", SOFT, READER),
        ("5.4.7", "smtp; 550 5.4.7 delivery time expired", SOFT, READER),
        ("4.2.2", "smtp; 452 4.2.2 full", SOFT, READER),
        ("4.4.7", "X-Postfix; connect to mx[192.0.2.25]:25: timed out", SOFT, READER),
        ("4.4.1", "", SOFT, READER),
        # Nobody's mailbox is at fault.
        ("5.7.1", "smtp; 550 5.7.1 No such user!", HARD, SENDER),
        ("5.7.26", "smtp; 550-5.7.26 unauthenticated", HARD, SENDER),
        ("5.1.8", "smtp; 550 5.1.8 bad sender", HARD, SENDER),
        ("5.4.5", "smtp; 550 5.4.5 daily quota exceeded", HARD, SENDER),
        ("5.5.2", "smtp; 500 5.5.2 syntax", HARD, RELAY),
        ("4.7.0", "smtp; 421 4.7.0 unusual rate", SOFT, SPEED),
        ("5.3.4", "smtp; 552 5.3.4 too big", HARD, MESSAGE),
        ("5.6.1", "smtp; 554 5.6.1 media not supported", HARD, MESSAGE),
        ("5.0.0", "smtp; 550 spam message rejected", HARD, MESSAGE),
        ("5.0.0", "smtp; 554 listed in the block list of example.org", HARD, SENDER),
        ("", "smtp; 550 user exceeded the max emails per hour", HARD, SENDER),
        # A status that says nothing gives way to a better one, or to the words.
        ("5.0.0", "smtp; 550 5.1.1 unknown", HARD, READER),
        ("5.0.0", "smtp; 554 no such user here", HARD, READER),
        ("5.4.1", "smtp; 550 5.4.1 Recipient address rejected: Access denied", HARD, READER),
        ("5.0.0", "smtp; 554 mailbox is full", SOFT, READER),
        ("5.0.0", "smtp; 554 Почтовый ящик ПЕРЕПОЛНЕН", SOFT, READER),
        ("5.0.0", "smtp; 554 Пользователь не найден", HARD, READER),
        # Half of a surrogate pair, from a text that was decoded badly.
        ("5.0.0", "smtp; 554 \udc80 no such user", HARD, READER),
        ("5.0.0", "smtp; 554 Нет такого пользователя", HARD, READER),
        ("5.1.0", "smtp; 550 5.1.0 Address rejected", HARD, READER),
        # A bare 550 (D2); other codes don't say whose fault it is.
        ("", "smtp; 550 Requested action not taken", HARD, READER),
        ("5.0.0", "smtp; 550 no", HARD, READER),
        ("5.0.0", "smtp; 554 transaction failed", HARD, NONE),
        ("5.3.0", "smtp; 554 5.3.0 failed", HARD, RELAY),
        ("", "smtp; 552 exceeded", SOFT, READER),
        ("", "smtp; 451 later", SOFT, READER),
        ("", "", SOFT, READER),
        # The address isn't part of what the server says.
        ("5.0.0", "smtp; 554 <spam-blocked@policy.example> failed", HARD, NONE),
        ("2.0.0", "smtp; 554 5.1.1 unknown", HARD, READER),
    ],
)
def test_a_block_of_a_delivery_status(
    status: str, diagnostic: str, kind: Event.Kind, fault: Fault
) -> None:
    refusal = from_status_block("failed", status, diagnostic)
    assert refusal is not None
    assert (refusal.kind, refusal.fault) == (kind, fault)


def test_a_550_with_a_status_that_says_nothing_is_bare() -> None:
    """D2: so one of them is enough."""
    assert from_status_block("failed", "5.0.0", "smtp; 550 no") == from_status_block(
        "failed", "", "smtp; 550 no"
    )


def test_an_ip_address_is_no_status() -> None:
    refusal = from_status_block("failed", "", "smtp; host 5.1.1.20 said: 550 5.2.2 full")
    assert refusal is not None
    assert (refusal.code, refusal.status) == (550, "5.2.2")


def test_a_port_is_no_code() -> None:
    refusal = from_status_block("failed", "4.4.1", "X-Postfix; port 587 refused the connection")
    assert refusal is not None
    assert refusal.code is None


@pytest.mark.parametrize(
    ("text", "code", "status", "kind"),
    [
        ("said: 550 5.1.1 unknown", 550, "5.1.1", HARD),
        ("552-5.2.2 full", 552, "5.2.2", SOFT),
        ("Sorry. (#5.1.1)", None, "5.1.1", HARD),
        ("550 No such user", 550, "", HARD),
        ("remote server: 550 нет такого пользователя", 550, "", HARD),
        # Numbers that are none of a server's.
        ("У падпісцы 550 чытачоў", None, "", SOFT),
        ("version 5.1.1", None, "", SOFT),
        ("", None, "", SOFT),
    ],
)
def test_a_bounce_in_text(text: str, code: int | None, status: str, kind: Event.Kind) -> None:
    refusal = from_text(text)
    assert (refusal.code, refusal.status, refusal.kind) == (code, status, kind)
    assert refusal.fault == READER
