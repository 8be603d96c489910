from __future__ import annotations

from datetime import UTC, datetime

import pytest

from newsletter.transport.decisions import (
    CallStatus,
    backoff,
    enhanced_status,
    http_call_status,
    retry_after,
)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (b"5.1.1 <a@b.example> unknown", "5.1.1"),
        (b"2.0.0\nmore", "2.0.0"),
        (b"4.7.100", "4.7.100"),
        (b"5.1.1.2 an address", ""),
        (b"3.1.1 no such class", ""),
        (b"a@b.example 5.1.1", ""),
        (b"#5.1.0 Address rejected", "5.1.0"),
        (b"sorry, no mailbox here by that name (#5.1.1)", "5.1.1"),
        (b"\xff\xfe", ""),
        (b"", ""),
    ],
)
def test_only_the_enhanced_status_of_a_reply_is_kept(text: bytes, status: str) -> None:
    assert enhanced_status(text) == status


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (200, CallStatus.ACCEPTED),
        (202, CallStatus.ACCEPTED),
        (400, CallStatus.REJECTED),
        (413, CallStatus.REJECTED),
        (422, CallStatus.REJECTED),
        (401, CallStatus.UNAVAILABLE),
        (403, CallStatus.UNAVAILABLE),
        (404, CallStatus.UNAVAILABLE),
        (429, CallStatus.UNAVAILABLE),
        (500, CallStatus.UNAVAILABLE),
        (503, CallStatus.UNAVAILABLE),
        (302, CallStatus.UNAVAILABLE),
        (502, CallStatus.UNKNOWN),
        (504, CallStatus.UNKNOWN),
    ],
)
def test_c10_an_http_status_applies_to_the_whole_call(status: int, answer: CallStatus) -> None:
    assert http_call_status(status) is answer


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("9999999", 86_400),
        ("Mon, 31 Jul 2017 09:02:00 GMT", 120),
        ("Mon, 31 Jul 2017 08:00:00 GMT", 0),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_c10_retry_after_is_in_seconds_or_a_date(value: str | None, seconds: int | None) -> None:
    now = datetime(2017, 7, 31, 9, 0, tzinfo=UTC)
    assert retry_after(value, now=now) == seconds


def test_backoff_doubles_up_to_sixteen_times() -> None:
    assert [backoff(n, 300) for n in (1, 2, 3, 4, 5, 6, 99)] == [
        300,
        600,
        1200,
        2400,
        4800,
        4800,
        4800,
    ]
    assert backoff(0, 5) == 5
