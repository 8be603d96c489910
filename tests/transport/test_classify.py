"""Whose fault a relay's refusal is (D7, D9), without a relay."""

from __future__ import annotations

from itertools import product

import pytest

from newsletter.transport.decisions import Step, Verdict, classify, enhanced_status
from newsletter.transport.known_replies import SUBJECTS
from newsletter.transport.known_words import CALL_WORDS, WORDS
from newsletter.transport.outcomes import Fault, Result
from tests.transport.smtp_replies import SMTP_REPLIES, SmtpReply

STEPS: tuple[Step, ...] = ("greeting", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "final")


def verdict(step: Step, answer: str) -> Verdict:
    code = int(answer[:3])
    text = (
        answer[4:]
        .replace(f"\r\n{code} ", "\n")
        .format(**{"to": "reader@mail.example", "from": "desk@news.example.org"})
    )
    return classify(step, code, enhanced_status(text.encode()), text.encode())


@pytest.mark.parametrize("reply", SMTP_REPLIES, ids=lambda reply: f"{reply[0]} {reply[1][:40]}")
def test_d7_d9_each_reply_has_one_fault_and_one_result(reply: SmtpReply) -> None:
    step, answer, fault, result = reply
    found = verdict(step, answer)
    assert (found.fault, found.result) == (fault, result)


@pytest.mark.parametrize("step", STEPS)
def test_d7_only_a_permanent_fault_of_the_reader_is_refused(step: Step) -> None:
    """5.6.x and 5.7.x are never the reader's, and neither is anything before RCPT."""
    details = product((421, 450, 454, 550, 552, 554), SUBJECTS, (0, 1, 2, 3, 4, 5, 8, 10, 999))
    for code, subject, detail in details:
        found = classify(step, code, f"{code // 100}.{subject}.{detail}", b"user unknown")
        if found.result is Result.REFUSED:
            assert found.fault is Fault.READER
            assert code >= 500
            assert subject in {"1", "2", "4"} or (subject in {"3", "5"} and detail == 0)
        if step not in {"rcpt", "data", "final"} or (subject == "7" and code >= 500):
            assert found.fault is not Fault.READER
        if code < 500:
            assert found.result in {None, Result.DEFERRED}


def test_d7_a_reply_without_a_status_gets_the_one_that_says_the_same() -> None:
    """An editor is told of a quota, although the relay gave no enhanced status."""
    assert verdict("rcpt", "550 has exceeded the max emails per hour").status == "5.4.5"
    assert verdict("rcpt", "550 relay not permitted").status == "5.7.26"
    assert verdict("mail", "552 too long").status == "5.3.4"
    assert verdict("rcpt", "454 Daily message quota exceeded").status == "4.4.5"
    assert verdict("rcpt", "550 no such user").status == ""  # the reader's: a bare 550 (D2)
    assert verdict("rcpt", "550 5.7.1 daily limit").status == "5.7.1"  # its own stays


@pytest.mark.parametrize("address", ["spam.policy@x.example", "dmarc@quota.example"])
def test_a_word_in_an_echoed_address_says_nothing(address: str) -> None:
    assert verdict("rcpt", f"550 <{address}> nobody").fault is Fault.READER
    assert verdict("rcpt", f"550 {address}: nobody").fault is Fault.READER


def test_a_phrase_is_found_across_lines_that_repeat_the_status() -> None:
    text = b"5.0.0 unable   to\n5.0.0 relay"
    assert classify("final", 554, "5.0.0", text).fault is Fault.SENDER
    assert classify("final", 554, "5.0.0", b"5.0.0 unable").fault is Fault.MESSAGE


def test_every_phrase_is_in_the_form_in_which_replies_are_compared() -> None:
    for _, phrases in (*WORDS, *CALL_WORDS):
        for phrase in phrases:
            assert phrase == b" ".join(phrase.lower().split())
            assert b"@" not in phrase


def test_no_phrase_is_hidden_by_a_shorter_one_of_an_earlier_group() -> None:
    earlier: list[bytes] = []
    for _, phrases in WORDS:
        for phrase in phrases:
            assert not [other for other in earlier if other in phrase], phrase
        earlier += phrases


def test_a_code_that_is_no_refusal_means_that_the_relay_is_broken() -> None:
    assert classify("data", 250) == Verdict(Fault.RELAY, None, "")
