"""Readers are compared before a refusal counts against anyone (D8)."""

from __future__ import annotations

from collections.abc import Iterable

from newsletter.delivery.sending.comparison import MAX_IN_A_ROW, Comparison, Refusal
from newsletter.transport.outcomes import Fault, Result, SendResult

SENT, REFUSED, FAILED, DEFERRED = Result.SENT, Result.REFUSED, Result.FAILED, Result.DEFERRED


def sent(position: int) -> SendResult:
    return SendResult(position, SENT, 250, "2.0.0")


def gone(position: int) -> SendResult:
    return SendResult(position, REFUSED, 550, "5.1.1", fault=Fault.READER)


def quota(position: int) -> SendResult:
    return SendResult(position, FAILED, 550, "5.4.5", fault=Fault.SENDER)


def blocked(position: int) -> SendResult:
    return SendResult(position, FAILED, 550, "5.7.1", fault=Fault.SENDER)


def compare(
    results: Iterable[SendResult],
    *,
    domains: dict[int, str] | None = None,
    is_retry: bool = False,
    accepted_earlier: bool = False,
    others_wait: bool = False,
    refused_before: int = 0,
    last_permitted: int = 0,
) -> tuple[dict[int, Result], Refusal | None]:
    """Return the result recorded for each position, and why the mailing is held."""
    comparison = Comparison(
        is_retry,
        lambda position: (domains or {}).get(position, "one.example"),
        refused_before,
        last_permitted,
    )
    recorded: dict[int, Result] = {}
    for result in results:
        recorded |= {each.position: each.result for each in comparison.add(result)}
    final = comparison.end(
        accepted_earlier=lambda: accepted_earlier, others_wait=lambda: others_wait
    )
    recorded |= {each.position: each.result for each in final}
    return recorded, comparison.refusal


def test_a_refusal_counts_once_a_later_message_is_accepted() -> None:
    recorded, refusal = compare([sent(0), gone(1), sent(2)])

    assert recorded == {0: SENT, 1: REFUSED, 2: SENT}
    assert refusal is None


def test_until_then_it_is_stored_as_deferred() -> None:
    comparison = Comparison(is_retry=False, domain_of=lambda position: "one.example")

    assert [each.result for each in comparison.add(gone(0))] == [DEFERRED]
    assert [(each.position, each.result) for each in comparison.add(sent(1))] == [
        (1, SENT),
        (0, REFUSED),
    ]


def test_an_acceptance_that_was_started_earlier_confirms_nothing() -> None:
    comparison = Comparison(is_retry=False, domain_of=lambda position: "one.example")
    comparison.add(gone(5))

    assert [each.position for each in comparison.add(sent(4))] == [4]


def test_a_refusal_beside_the_last_messages_of_a_quota_counts_against_nobody() -> None:
    """Two connections are busy when the quota is used up: position 1 is refused before the relay
    has accepted position 2, which was started earlier."""
    recorded, refusal = compare(
        [sent(0), gone(1), sent(2), *map(gone, range(3, 3 + MAX_IN_A_ROW))], last_permitted=3
    )

    assert set(recorded.values()) == {SENT, DEFERRED}
    assert refusal is not None


def test_with_several_connections_a_refusal_counts_a_few_messages_later() -> None:
    comparison = Comparison(
        is_retry=False, domain_of=lambda position: "one.example", last_permitted=3
    )
    comparison.add(gone(1))

    recorded = [
        [(each.position, each.result) for each in comparison.add(sent(position))]
        for position in (2, 3, 4, 5)
    ]

    assert recorded == [[(2, SENT)], [(3, SENT)], [(4, SENT), (1, REFUSED)], [(5, SENT)]]


def test_at_the_end_of_a_batch_a_refusal_with_an_acceptance_after_it_counts() -> None:
    recorded, refusal = compare([sent(0), gone(1), sent(2)], last_permitted=8)

    assert recorded == {0: SENT, 1: REFUSED, 2: SENT}
    assert refusal is None


def test_several_refusals_at_the_end_of_a_batch_are_tried_again_before_they_count() -> None:
    """The relay may refuse everybody from here on: the next batch shows it."""
    results = [sent(0), gone(1), gone(2), gone(3)]

    recorded, refusal = compare(results)
    assert recorded == {0: SENT, 1: DEFERRED, 2: DEFERRED, 3: DEFERRED}
    assert refusal is None

    recorded, _ = compare(results[1:], is_retry=True, accepted_earlier=True)
    assert recorded == {1: REFUSED, 2: REFUSED, 3: REFUSED}


def test_many_refusals_in_a_row_hold_the_mailing_and_count_against_nobody() -> None:
    recorded, refusal = compare([sent(0), *map(gone, range(1, MAX_IN_A_ROW + 1))])

    assert set(recorded.values()) == {SENT, DEFERRED}
    assert refusal == Refusal(Fault.READER, 550, "5.1.1", MAX_IN_A_ROW)


def test_acceptances_between_refusals_keep_the_mailing_going() -> None:
    results = [gone(at) if at % MAX_IN_A_ROW else sent(at) for at in range(200)]

    recorded, refusal = compare([*results, sent(200)])

    assert DEFERRED not in recorded.values()
    assert refusal is None


def test_a_run_in_which_everybody_is_refused_holds_the_mailing() -> None:
    recorded, refusal = compare(map(gone, range(3)))

    assert set(recorded.values()) == {DEFERRED}
    assert refusal == Refusal(Fault.READER, 550, "5.1.1", 3)


def test_a_fault_of_the_sender_holds_even_a_mailing_to_one_reader() -> None:
    recorded, refusal = compare([quota(0)])

    assert recorded == {0: DEFERRED}
    assert refusal == Refusal(Fault.SENDER, 550, "5.4.5", 1)


def test_a_mailing_to_two_readers_who_are_gone_ends_without_counting_against_them() -> None:
    recorded, refusal = compare([gone(0), gone(1)])

    assert recorded == {0: FAILED, 1: FAILED}
    assert refusal is None


def test_refusals_at_the_end_count_if_the_mailing_reached_others_before() -> None:
    recorded, refusal = compare([gone(0), gone(1)], accepted_earlier=True)

    assert recorded == {0: REFUSED, 1: REFUSED}
    assert refusal is None


def test_a_quota_that_is_reached_near_the_end_holds_the_mailing() -> None:
    recorded, refusal = compare([*map(sent, range(10)), *map(quota, range(10, 14))])

    assert [recorded[at] for at in range(10, 14)] == [DEFERRED] * 4
    assert refusal == Refusal(Fault.SENDER, 550, "5.4.5", 4)


def test_replies_that_cross_when_a_quota_is_reached_fail_nobody() -> None:
    results = [*map(sent, range(19)), quota(19), sent(20), *map(quota, range(21, 60))]

    recorded, refusal = compare(results)

    assert recorded[19] is DEFERRED
    assert refusal is not None
    assert list(recorded.values()).count(SENT) == 20


def test_one_domains_policy_fails_its_readers_for_this_mailing_only() -> None:
    domains = dict.fromkeys([3, 4, 5, 6], "strict.example")
    results = [blocked(at) if at in domains else sent(at) for at in range(10)]

    recorded, refusal = compare(results, domains=domains)

    assert {recorded[at] for at in domains} == {FAILED}
    assert refusal is None


def test_one_domains_policy_is_seen_at_the_end_of_a_batch_too() -> None:
    domains = dict.fromkeys([6, 7, 8, 9], "strict.example")
    results = [blocked(at) if at in domains else sent(at) for at in range(10)]

    recorded, refusal = compare(results, domains=domains)

    assert {recorded[at] for at in domains} == {FAILED}
    assert refusal is None


def test_a_single_refusal_that_is_not_the_readers_fault_gets_a_second_try() -> None:
    results = [sent(0), blocked(1), sent(2)]

    assert compare(results)[0][1] is DEFERRED
    assert compare(results, is_retry=True)[0][1] is FAILED


def test_our_own_failures_pass_unchanged() -> None:
    unsendable = SendResult(1, FAILED)

    assert compare([unsendable])[0] == {1: FAILED}


def test_a_small_batch_waits_for_the_mailings_other_readers() -> None:
    recorded, refusal = compare(map(gone, range(3)), others_wait=True)

    assert set(recorded.values()) == {DEFERRED}
    assert refusal is None


def test_small_batches_that_are_all_refused_add_up() -> None:
    results = map(gone, range(3))

    _recorded, refusal = compare(results, others_wait=True, refused_before=MAX_IN_A_ROW - 3)

    assert refusal == Refusal(Fault.READER, 550, "5.1.1", 3)


def test_an_acceptance_ends_the_count_of_earlier_batches() -> None:
    results = [sent(0), gone(1), gone(2), gone(3)]

    _recorded, refusal = compare(results, refused_before=MAX_IN_A_ROW - 1)

    assert refusal is None
