"""The proof of work (B4): signed, short-lived and accepted once."""

from __future__ import annotations

from base64 import b64decode
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from altcha.v1 import solve_challenge
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from subscribers.antiabuse import form_checks
from tests.subscribers.proof_of_work import encode_payload, new_solution, solve


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    cache.clear()


def test_b4_a_solution_works_only_once() -> None:
    done = new_solution()
    assert form_checks.verify_proof(done)
    assert not form_checks.verify_proof(done)


def test_an_expired_solution_is_refused() -> None:
    done = new_solution()
    with time_machine.travel(timezone.now() + timedelta(hours=1, minutes=1)):
        assert not form_checks.verify_proof(done)


@pytest.mark.parametrize(
    "change",
    [
        {"number": -1},
        {"number": 60_000},
        {"number": "x"},
        {"number": True},
        {"number": 1.5},
        {"number": None},
        {"challenge": "0" * 64},
        {"signature": "0" * 64},
        {"salt": "0" * 24 + "?expires=9999999999&"},
        {"signature": "ы"},
        {"signature": 1},
        {"salt": 1},
        {"salt": ["0"]},
        {"salt": "\ud800"},
        {"challenge": None},
    ],
)
def test_a_tampered_solution_is_refused(change: dict[str, Any]) -> None:
    assert not form_checks.verify_proof(
        encode_payload({**solve(form_checks.new_challenge()), **change})
    )


def test_digits_cannot_move_between_the_expiry_time_and_the_number() -> None:
    """The salt ends with “&”, so “…=1234&” + “567” can't be read as “…=12345” + “67”."""
    found = solve(form_checks.new_challenge())
    number = str(found["number"])
    moved = {**found, "salt": found["salt"][:-1] + number[:1] + "&", "number": number[1:] or "0"}
    assert not form_checks.verify_proof(encode_payload(moved))


def test_a_challenge_from_another_site_is_refused(settings: Any) -> None:
    done = new_solution()
    settings.SECRET_KEY = "another"
    assert not form_checks.verify_proof(done)


def test_a_used_solution_stays_used_when_written_differently() -> None:
    found = solve(form_checks.new_challenge())
    assert form_checks.verify_proof(encode_payload(found))
    for other in ({"algorithm": "SHA-1"}, {"salt": found["salt"].rstrip("&")}, {"more": 1}):
        assert not form_checks.verify_proof(encode_payload({**found, **other}))


def test_the_tests_solver_agrees_with_altchas() -> None:
    challenge = form_checks.new_challenge()
    parts = (
        challenge["challenge"],
        challenge["salt"],
        challenge["algorithm"],
        challenge["maxnumber"],
    )
    solved_by_altcha = solve_challenge(*parts)
    assert solved_by_altcha is not None
    assert solved_by_altcha.number == solve(challenge)["number"]


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_arbitrary_payloads_are_refused_without_an_error(text: str) -> None:
    assert not form_checks.verify_proof(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=5,
    )
)
def test_arbitrary_json_is_refused_without_an_error(value: object) -> None:
    assert not form_checks.verify_proof(encode_payload(value))


def test_the_challenge_sets_no_cookie(client: Client) -> None:
    answer = client.get("/challenge/")
    assert set(answer.json()) == {"algorithm", "challenge", "maxnumber", "salt", "signature"}
    assert not answer.cookies
    assert "no-store" in answer["Cache-Control"]


def test_the_challenge_does_not_reveal_its_number() -> None:
    assert "number" not in form_checks.new_challenge()


def test_the_payload_has_altchas_format() -> None:
    assert b64decode(new_solution()).startswith(b'{"algorithm": "SHA-256"')
