"""How a batch ends, depending on what is known about it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.sending.batches import (
    MODULUS,
    ReplyCodes,
    checksum,
    pack,
    settle,
    unpack,
)
from newsletter.transport.outcomes import Result

N, SENT, REFUSED, DEFERRED, UNKNOWN = (
    Result.NONE,
    Result.SENT,
    Result.REFUSED,
    Result.DEFERRED,
    Result.UNKNOWN,
)


def test_a_sender_that_is_alive_knows_that_the_rest_is_unsent() -> None:
    settled = settle(
        [11, 12, 13], bytes([SENT, REFUSED]), {1: ReplyCodes(550, "5.1.1")}, unknown_below=0
    )
    assert [(outcome.subscriber_id, outcome.result) for outcome in settled.outcomes] == [
        (11, SENT),
        (12, REFUSED),
    ]
    assert settled.outcomes[1].reply == ReplyCodes(550, "5.1.1")
    assert settled.to_retry == [13]
    assert not settled.deferred


def test_the_permitted_readers_of_a_dead_sender_are_unknown_and_the_others_are_retried() -> None:
    settled = settle([11, 12, 13, 14], bytes([SENT]), {}, unknown_below=3)
    assert [outcome.result for outcome in settled.outcomes] == [SENT, UNKNOWN, UNKNOWN]
    assert settled.to_retry == [14]


def test_deferred_readers_are_retried_even_below_the_intent() -> None:
    settled = settle([11, 12], bytes([DEFERRED, SENT]), {}, unknown_below=2)
    assert settled.to_retry == [11]
    assert settled.deferred


def test_after_the_time_to_give_up_the_rest_fails_and_unknown_stays_unknown() -> None:
    settled = settle([1, 2, 3], bytes([DEFERRED]), {}, unknown_below=2, rest_becomes=Result.FAILED)
    assert [outcome.result for outcome in settled.outcomes] == [
        Result.FAILED,
        UNKNOWN,
        Result.FAILED,
    ]
    assert settled.to_retry == []


@given(
    st.lists(st.integers(1, 2**40), unique=True, max_size=40).flatmap(
        lambda ids: st.tuples(
            st.just(ids),
            st.binary(max_size=len(ids)).map(lambda raw: bytes(b % 7 for b in raw)),
            st.integers(0, len(ids)),
            st.sampled_from([None, Result.FAILED, Result.SKIPPED]),
        )
    )
)
def test_each_reader_gets_one_outcome_or_one_retry(
    case: tuple[list[int], bytes, int, Result | None],
) -> None:
    ids, results, doubt, rest = case
    settled = settle(ids, results, {}, unknown_below=doubt, rest_becomes=rest)
    assert sorted(
        [outcome.subscriber_id for outcome in settled.outcomes] + settled.to_retry
    ) == sorted(ids)
    assert rest is None or settled.to_retry == []


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_ids_survive_packing(ids: list[int]) -> None:
    assert unpack(pack(ids)) == ids


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20), st.integers(0, 20))
def test_the_checksum_adds_up_in_any_order(ids: list[int], cut: int) -> None:
    assert checksum(ids) == checksum(reversed(ids))
    assert checksum(ids) == (checksum(ids[:cut]) + checksum(ids[cut:])) % MODULUS
