"""B3: signed tokens, and the links that contain them."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from subscribers.links import reader_urls, tokens
from subscribers.links.tokens import ExpiredTokenError, ForgedTokenError, LinkPurpose

NOON = datetime(2017, 8, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("purpose", LinkPurpose)
@pytest.mark.parametrize("number", [1, 42, 2**40])
def test_b3_a_token_is_valid_for_its_purpose_only(purpose: LinkPurpose, number: int) -> None:
    token = tokens.make(purpose, number)
    assert len(token) <= 60
    assert tokens.parse(purpose, token) == number
    for other in set(LinkPurpose) - {purpose}:
        with pytest.raises(ForgedTokenError):
            tokens.parse(other, token)


def test_b3_a_confirmation_expires_after_two_days() -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        token = tokens.make(LinkPurpose.CONFIRM, 1)
        clock.shift(timedelta(hours=47, minutes=59))
        assert tokens.parse(LinkPurpose.CONFIRM, token) == 1
        clock.shift(timedelta(minutes=2))
        with pytest.raises(ExpiredTokenError):
            tokens.parse(LinkPurpose.CONFIRM, token)


@pytest.mark.parametrize("purpose", [LinkPurpose.UNSUBSCRIBE, LinkPurpose.PREFERENCES])
def test_b3_links_in_mailings_never_expire(purpose: LinkPurpose) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        token = tokens.make(purpose, 1)
        clock.shift(timedelta(days=365 * 20))
        assert tokens.parse(purpose, token) == 1


@pytest.mark.parametrize("position", range(36))
def test_b3_a_changed_token_is_refused(position: int) -> None:
    token = tokens.make(LinkPurpose.UNSUBSCRIBE, 7)
    other = "A" if token[position] != "A" else "B"
    with pytest.raises(ForgedTokenError):
        tokens.parse(LinkPurpose.UNSUBSCRIBE, token[:position] + other + token[position + 1 :])


LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@given(
    st.text(max_size=80) | st.text(LETTERS, min_size=30, max_size=64), st.sampled_from(LinkPurpose)
)
def test_b3_arbitrary_text_is_refused(text: str, purpose: LinkPurpose) -> None:
    with pytest.raises(ForgedTokenError):
        tokens.parse(purpose, text)


@given(st.sampled_from(LinkPurpose), st.integers(0, 2**63 - 1), st.data())
def test_b3_a_token_with_any_part_replaced_is_refused(
    purpose: LinkPurpose, number: int, data: st.DataObject
) -> None:
    token = tokens.make(purpose, number)
    start = data.draw(st.integers(0, len(token)))
    end = data.draw(st.integers(start, len(token)))
    changed = token[:start] + data.draw(st.text(LETTERS, max_size=4)) + token[end:]
    if changed == token:
        assert tokens.parse(purpose, changed) == number
        return
    with pytest.raises(ForgedTokenError):
        tokens.parse(purpose, changed)


def test_b3_old_links_stay_valid_after_a_key_rotation(settings: Any) -> None:
    old = tokens.make(LinkPurpose.UNSUBSCRIBE, 7)
    first = settings.WEB_KEYS
    settings.WEB_KEYS = replace(first, tokens={**first.tokens, 2: b"2" * 32})
    new = tokens.make(LinkPurpose.UNSUBSCRIBE, 7)
    assert old != new
    assert (
        tokens.parse(LinkPurpose.UNSUBSCRIBE, old)
        == tokens.parse(LinkPurpose.UNSUBSCRIBE, new)
        == 7
    )
    settings.WEB_KEYS = first
    with pytest.raises(ForgedTokenError):
        tokens.parse(LinkPurpose.UNSUBSCRIBE, new)


def test_making_a_token_takes_microseconds() -> None:
    started = time.perf_counter()
    for number in range(10_000):
        tokens.make(LinkPurpose.UNSUBSCRIBE, number)
    assert (time.perf_counter() - started) / 10_000 < 50e-6


def test_links_are_absolute_and_in_the_readers_language(settings: Any) -> None:
    settings.SITE_URL = "https://news.example.org"
    assert reader_urls.url(LinkPurpose.PREFERENCES, 1, "ru").startswith(
        "https://news.example.org/ru/preferences/"
    )
    assert reader_urls.url(LinkPurpose.CONFIRM, 1, "en").startswith(
        "https://news.example.org/en/confirm/"
    )
    assert reader_urls.one_click_urls()(1).startswith("https://news.example.org/u/")
    token = reader_urls.one_click_urls()(77).rstrip("/").rpartition("/")[2]
    assert tokens.parse(LinkPurpose.UNSUBSCRIBE, token) == 77


def test_a_language_that_the_site_no_longer_has_falls_back_to_the_default() -> None:
    assert "/en/preferences/" in reader_urls.url(LinkPurpose.PREFERENCES, 1, "ka")
