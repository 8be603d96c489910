from __future__ import annotations

import threading

import pytest

from newsletter.transport.memory import MemoryTransport
from newsletter.transport.outcomes import Recipient, Result, TransportDownError
from tests.transport.cast import make_email, reader, readers


@pytest.fixture
def memory() -> MemoryTransport:
    return MemoryTransport()


def test_it_keeps_each_message(memory: MemoryTransport) -> None:
    send_results = list(memory.send(memory.compile(make_email()), readers(2)))
    assert [h.result for h in send_results] == [Result.SENT, Result.SENT]
    (got,) = memory.to("Reader1@mail.example")
    assert got.parsed["To"] == "reader1@mail.example"
    assert "/unsubscribe/1.d00001." in got.parsed["List-Unsubscribe"]
    assert memory.calls == [2]


def test_scripted_results_are_used_in_order(memory: MemoryTransport) -> None:
    compiled = memory.compile(make_email())
    memory.script("reader0@mail.example", Result.DEFERRED, Result.UNKNOWN, code=451)
    results = [next(memory.send(compiled, [reader(0)])).result for _ in range(3)]
    assert results == [Result.DEFERRED, Result.UNKNOWN, Result.SENT]
    assert len(memory.delivered) == 2


def test_it_can_go_down_after_some_messages(memory: MemoryTransport) -> None:
    memory.down_after = 1
    iterator = memory.send(memory.compile(make_email()), readers(2))
    assert next(iterator).result is Result.SENT
    with pytest.raises(TransportDownError):
        next(iterator)
    assert len(memory.delivered) == 1


def test_a_call_can_be_scripted_to_fail(memory: MemoryTransport) -> None:
    compiled = memory.compile(make_email())
    memory.script_calls(TransportDownError("busy", retry_after=7), None)
    with pytest.raises(TransportDownError) as caught:
        list(memory.send(compiled, readers(1)))
    assert caught.value.retry_after == 7
    assert len(list(memory.send(compiled, readers(1)))) == 1


def test_it_waits_while_held(memory: MemoryTransport) -> None:
    memory.hold = threading.Event()
    compiled = memory.compile(make_email())
    thread = threading.Thread(target=lambda: list(memory.send(compiled, readers(1))))
    thread.start()
    thread.join(0.1)
    assert thread.is_alive()
    assert memory.delivered == []
    memory.hold.set()
    thread.join(5)
    assert len(memory.delivered) == 1


def test_no_repr_contains_an_address(memory: MemoryTransport) -> None:
    list(memory.send(memory.compile(make_email()), readers(1)))
    assert "reader0" not in repr(memory.delivered) + repr(memory.send_results) + repr(reader(0))


def test_a_recipient_that_cannot_be_sent_to_fails_like_elsewhere(memory: MemoryTransport) -> None:
    bare = Recipient(0, "r@mail.example", "d0", {})
    utf8 = reader(1, "чытач@mail.example")
    results = [h.result for h in memory.send(memory.compile(make_email()), [bare, utf8])]
    assert results == [Result.FAILED, Result.REFUSED]
    assert memory.delivered == []
