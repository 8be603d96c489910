"""The proof of work (B4): done once, signed, not for ever."""

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

from subscribers.antiabuse import proof_of_work
from tests.subscribers.solving import payload, solution, solved


@pytest.fixture(autouse=True)
def _fresh() -> None:
    cache.clear()


def test_b4_a_solution_is_used_once() -> None:
    done = solved()
    assert proof_of_work.verify(done)
    assert not proof_of_work.verify(done)


def test_an_old_solution_is_none() -> None:
    done = solved()
    with time_machine.travel(timezone.now() + timedelta(hours=1, minutes=1)):
        assert not proof_of_work.verify(done)


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
def test_what_was_changed_is_none(change: dict[str, Any]) -> None:
    assert not proof_of_work.verify(payload({**solution(proof_of_work.new_challenge()), **change}))


def test_the_time_of_expiry_takes_no_digit_of_the_number() -> None:
    """The salt ends with a mark: "…=1234&" + "567" cannot be read as "…=12345" + "67"."""
    found = solution(proof_of_work.new_challenge())
    number = str(found["number"])
    moved = {**found, "salt": found["salt"][:-1] + number[:1] + "&", "number": number[1:] or "0"}
    assert not proof_of_work.verify(payload(moved))


def test_a_challenge_of_another_site_is_none(settings: Any) -> None:
    done = solved()
    settings.SECRET_KEY = "another"
    assert not proof_of_work.verify(done)


def test_a_used_solution_written_otherwise_is_used_all_the_same() -> None:
    found = solution(proof_of_work.new_challenge())
    assert proof_of_work.verify(payload(found))
    for other in ({"algorithm": "SHA-1"}, {"salt": found["salt"].rstrip("&")}, {"more": 1}):
        assert not proof_of_work.verify(payload({**found, **other}))


def test_altchas_own_solver_and_ours_agree() -> None:
    task = proof_of_work.new_challenge()
    parts = (task["challenge"], task["salt"], task["algorithm"], task["maxnumber"])
    solved_by_altcha = solve_challenge(*parts)
    assert solved_by_altcha is not None
    assert solved_by_altcha.number == solution(task)["number"]


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_no_payload_is_an_error(text: str) -> None:
    assert not proof_of_work.verify(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=5,
    )
)
def test_no_json_is_an_error(value: object) -> None:
    assert not proof_of_work.verify(payload(value))


def test_the_challenge_sets_no_cookie(client: Client) -> None:
    answer = client.get("/challenge/")
    assert set(answer.json()) == {"algorithm", "challenge", "maxnumber", "salt", "signature"}
    assert not answer.cookies
    assert "no-store" in answer["Cache-Control"]


def test_the_challenge_does_not_hold_its_number() -> None:
    assert "number" not in proof_of_work.new_challenge()


def test_the_payload_is_that_of_altcha() -> None:
    assert b64decode(solved()).startswith(b'{"algorithm": "SHA-256"')
