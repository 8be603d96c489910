"""The signed time at which a form was shown (B4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine
from django.core.signing import TimestampSigner
from hypothesis import given
from hypothesis import strategies as st

from subscribers.antiabuse import form_checks

TEN = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)


def test_b4_a_timestamp_tells_how_long_ago_the_form_was_shown() -> None:
    with time_machine.travel(TEN, tick=False) as clock:
        shown = form_checks.sign_timestamp()
        clock.shift(timedelta(seconds=1))
        assert not form_checks.is_older(shown, than=2)
        clock.shift(timedelta(seconds=2))
        assert form_checks.is_older(shown, than=2)


def test_a_form_that_was_open_for_a_week_still_works() -> None:
    with time_machine.travel(TEN, tick=False) as clock:
        shown = form_checks.sign_timestamp()
        clock.shift(timedelta(days=7))
        assert form_checks.is_genuine(shown)
        assert form_checks.is_older(shown, than=2)


def test_b4_an_earlier_time_cannot_be_forged() -> None:
    with time_machine.travel(TEN, tick=False) as clock:
        shown = form_checks.sign_timestamp()
        clock.shift(-timedelta(hours=1))
        earlier = form_checks.sign_timestamp()
        clock.shift(timedelta(hours=1))
        forged = earlier.rpartition(":")[0] + ":" + shown.rpartition(":")[2]
        assert form_checks.is_older(earlier, than=2)
        assert not form_checks.is_genuine(forged)
        assert not form_checks.is_older(forged, than=2)


def test_a_timestamp_from_the_future_is_not_old() -> None:
    with time_machine.travel(TEN, tick=False) as clock:
        shown = form_checks.sign_timestamp()
        clock.shift(-timedelta(hours=1))
        assert not form_checks.is_older(shown, than=0)


def test_a_signature_for_another_purpose_is_not_genuine() -> None:
    assert not form_checks.is_genuine(TimestampSigner().sign(""))
    assert not form_checks.is_genuine(TimestampSigner(salt="another").sign(""))


def test_a_new_secret_key_invalidates_old_timestamps(settings: Any) -> None:
    shown = form_checks.sign_timestamp()
    settings.SECRET_KEY = "another"
    assert not form_checks.is_genuine(shown)
    assert form_checks.is_genuine(form_checks.sign_timestamp())


@given(st.text())
def test_arbitrary_text_is_not_genuine_and_raises_nothing(text: str) -> None:
    assert not form_checks.is_genuine(text)
    assert not form_checks.is_older(text, than=0)
