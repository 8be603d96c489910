"""A reader is blamed only if others of the same run were accepted (D8, C10)."""

from __future__ import annotations

from newsletter.transport.decisions import CallStatus
from newsletter.transport.esp.errors import CallFailure
from newsletter.transport.esp.run import MAX_CONSECUTIVE_REJECTIONS, Run
from newsletter.transport.outcomes import Fault, Result, SendResult

UNEXPLAINED = CallFailure(CallStatus.REJECTED, "HTTP 400", 400, fault=Fault.NONE)
NAMED = CallFailure(CallStatus.REJECTED, "HTTP 400", 400, fault=Fault.READER)
SENT = SendResult(9, Result.SENT)


def test_a_refusal_before_any_acceptance_is_held_and_then_confirmed() -> None:
    run = Run(is_batch=True)
    assert list(run.isolate(0, UNEXPLAINED)) == []
    assert list(run.isolate(1, NAMED)) == []
    confirmed = [
        SendResult(0, Result.FAILED, 400, fault=Fault.READER),
        SendResult(1, Result.REFUSED, 400, fault=Fault.READER),
    ]
    assert list(run.accept([SENT])) == [*confirmed, SENT]
    assert list(run.isolate(2, NAMED)) == [SendResult(2, Result.REFUSED, 400, fault=Fault.READER)]
    assert list(run.end()) == []
    assert not run.blames_message


def test_if_every_part_is_refused_the_message_is_blamed_and_no_reader() -> None:
    run = Run(is_batch=True)
    for position in range(3):
        run.reject(UNEXPLAINED)
        assert list(run.isolate(position, UNEXPLAINED)) == []
    assert list(run.end()) == []
    assert run.blames_message
    assert run.as_failure().fault is Fault.MESSAGE


def test_recipients_that_the_provider_names_are_left_to_the_caller_to_compare() -> None:
    run = Run(is_batch=True)
    for position in range(2):
        run.reject(NAMED)
        assert list(run.isolate(position, NAMED)) == []
    assert [each.fault for each in run.end()] == [Fault.READER] * 2
    assert not run.blames_message


def test_a_single_recipient_is_not_blamed_without_a_reason() -> None:
    for is_batch in (True, False):
        run = Run(is_batch=is_batch)
        run.reject(UNEXPLAINED)
        results = [*run.isolate(0, UNEXPLAINED), *run.end()]
        assert results == [SendResult(0, Result.FAILED, 400, fault=Fault.MESSAGE)]
        assert not run.blames_message


def test_an_answer_that_accepts_nobody_confirms_nothing() -> None:
    run = Run(is_batch=True)
    assert list(run.isolate(0, NAMED)) == []
    nobody = [SendResult(1, Result.REFUSED, fault=Fault.READER), SendResult(2, Result.UNKNOWN)]
    assert list(run.accept(nobody)) == nobody
    assert not run.accepted


def test_an_acceptance_ends_a_row_of_rejections() -> None:
    run = Run(is_batch=True)
    for _ in range(MAX_CONSECUTIVE_REJECTIONS - 1):
        run.reject(UNEXPLAINED)
    assert not run.is_hopeless
    assert list(run.accept([SENT])) == [SENT]
    run.reject(UNEXPLAINED)
    assert not run.is_hopeless
