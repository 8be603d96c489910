"""The opaque delivery ID in the Message-ID and the metadata (G10)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.message_ids import MessageTrace, delivery_id_factory, parse_delivery_id


@given(st.integers(1, 2), st.integers(1, 2**40 - 1), st.integers(-(2**47), 2**47 - 1))
def test_an_id_identifies_the_delivery(kind: int, mailing: int, reader: int) -> None:
    text = delivery_id_factory(kind, mailing)(reader)
    assert parse_delivery_id(text) == MessageTrace(kind, mailing, reader)
    assert text.isalnum()
    assert len(text) <= 40


def test_ids_of_neighbouring_readers_look_unrelated() -> None:
    one, two = (delivery_id_factory(1, 7)(reader) for reader in (1, 2))
    same = sum(a == b for a, b in zip(one[2:], two[2:], strict=True))
    assert same < 8


def test_a_forged_id_is_rejected() -> None:
    text = delivery_id_factory(1, 7)(1)
    for index in range(4, 24):
        flipped = "a" if text[index] != "a" else "b"
        assert parse_delivery_id(text[:index] + flipped + text[index + 1 :]) is None
    assert parse_delivery_id("z" * 28) is None
    assert parse_delivery_id("not an id!") is None
