"""Signing up, confirming, unsubscribing and resubscribing, with the evidence of it (B4, B8)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from newsletter.editorial.models import Newsletter
from subscribers import lifecycle, suppression
from subscribers.addresses import AddressError, normalise
from subscribers.crypto.sealing import AddressHash, Ciphertext, address_hash, open_address
from subscribers.lifecycle import Confirmation, LanguageUnavailableError, SuppressedError
from subscribers.models import Consent, Subscriber, Subscription, Suppression, TransactionalEmail
from tests.subscribers.conftest import ALA, AddReader, Ask

State = Subscription.State
NOON = datetime(2017, 8, 1, 12, 0, 30, tzinfo=UTC)


def suppress(reason: str, address: str = ALA) -> None:
    suppression.suppress(address_hash(normalise(address)), reason)


def emails() -> list[str]:
    return list(TransactionalEmail.objects.order_by("pk").values_list("kind", flat=True))


def test_a_sign_up_waits_for_confirmation(ask: Ask) -> None:
    subscription = ask("be", "ru", page_language="be")
    assert subscription is not None
    assert (subscription.state, subscription.languages) == (State.PENDING, ("be", "ru"))
    reader = subscription.subscriber
    assert reader.language == "be"
    sealed = Ciphertext(reader.storage_key, bytes(reader.sealed_address))
    assert open_address(sealed, reader.public_id) == ALA
    assert emails() == ["confirmation"]


def test_b8_sign_up_and_confirmation_leave_evidence_to_the_minute(ask: Ask) -> None:
    subscription = ask("be", page_language="be")
    assert subscription is not None
    with time_machine.travel(NOON, tick=False):
        assert lifecycle.confirm(subscription.pk) is Confirmation.CONFIRMED
    requested, confirmed = subscription.consents.order_by("pk")
    assert requested.action == Consent.Action.REQUESTED
    assert requested.at == datetime(2017, 8, 1, 9, 30, tzinfo=UTC)
    assert confirmed.action == Consent.Action.CONFIRMED
    assert confirmed.at == datetime(2017, 8, 1, 12, 0, tzinfo=UTC)
    for consent in (requested, confirmed):
        assert consent.wording == "I want it."
        assert len(consent.wording_version) == 16
        assert (consent.language, consent.source) == ("be", "form")


def test_b8_evidence_cannot_be_changed(ask: Ask) -> None:
    subscription = ask()
    assert subscription is not None
    consent = subscription.consents.get()
    consent.wording = "Something else."
    with pytest.raises(TypeError):
        consent.save()


def test_confirming_twice_is_harmless(ask: Ask) -> None:
    subscription = ask()
    assert subscription is not None
    assert lifecycle.confirm(subscription.pk) is Confirmation.CONFIRMED
    assert lifecycle.confirm(subscription.pk) is Confirmation.ALREADY_CONFIRMED
    assert subscription.consents.count() == 2


def test_an_old_confirmation_link_does_not_resubscribe_a_former_reader(ask: Ask) -> None:
    subscription = ask()
    assert subscription is not None
    lifecycle.confirm(subscription.pk)
    lifecycle.unsubscribe(subscription.pk)
    assert lifecycle.confirm(subscription.pk) is Confirmation.GONE
    assert lifecycle.confirm(10_000) is Confirmation.GONE


def test_the_latest_sign_up_counts_until_it_is_confirmed(ask: Ask) -> None:
    ask("en")
    subscription = ask("be", "ru", address=ALA.lower(), page_language="be")
    assert subscription is not None
    assert subscription.languages == ("be", "ru")
    assert Subscriber.objects.get().language == "be"


@pytest.mark.django_db
def test_b4_an_address_gets_one_confirmation_a_day(ask: Ask) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        ask()
        clock.shift(timedelta(hours=23))
        ask("be")
        assert emails() == ["confirmation"]
        clock.shift(timedelta(hours=2))
        ask("be")
        assert emails() == ["confirmation"] * 2


def test_b4_a_failed_email_does_not_count(ask: Ask) -> None:
    ask()
    TransactionalEmail.objects.update(state=TransactionalEmail.State.FAILED)
    ask()
    assert emails() == ["confirmation"] * 2


def test_an_active_reader_is_reminded_of_it_once_a_day(add_reader: AddReader, ask: Ask) -> None:
    add_reader("en")
    ask("be")
    ask("ru")
    assert emails() == ["already"]
    subscription = Subscription.objects.get()
    assert (subscription.state, subscription.languages) == (State.ACTIVE, ("en",))


@pytest.mark.parametrize("reason", ["complained", "bounced"])
def test_b4_a_suppressed_address_gets_nothing(ask: Ask, newsroom: object, reason: str) -> None:
    suppress(reason)
    assert ask() is None
    assert emails() == []
    assert not Subscriber.objects.exists()


def test_b9_a_new_double_opt_in_lifts_an_erasure(ask: Ask, newsroom: object) -> None:
    suppress("erased")
    subscription = ask()
    assert subscription is not None
    assert Suppression.objects.exists()
    lifecycle.confirm(subscription.pk)
    assert not Suppression.objects.exists()


def test_a_complaint_before_the_confirmation_prevents_it(ask: Ask) -> None:
    subscription = ask()
    assert subscription is not None
    suppress("complained")
    Subscription.objects.update(state=State.PENDING)
    assert lifecycle.confirm(subscription.pk) is Confirmation.GONE


def test_a_reader_can_unsubscribe_and_undo_it(add_reader: AddReader) -> None:
    subscription = add_reader("en")
    assert lifecycle.unsubscribe(subscription.pk)
    assert not lifecycle.unsubscribe(subscription.pk)
    subscription.refresh_from_db()
    assert subscription.state == State.UNSUBSCRIBED
    assert lifecycle.resubscribe(subscription.pk)
    assert lifecycle.resubscribe(subscription.pk)
    subscription.refresh_from_db()
    assert (subscription.state, subscription.unsubscribed_on) == (State.ACTIVE, None)
    actions = list(subscription.consents.order_by("pk").values_list("action", flat=True))
    assert actions == ["recorded", "unsubscribed", "confirmed"]


def test_unsubscribing_cannot_be_undone_after_days(add_reader: AddReader) -> None:
    subscription = add_reader("en")
    with time_machine.travel(NOON, tick=False) as clock:
        lifecycle.unsubscribe(subscription.pk)
        clock.shift(timedelta(days=3))
        assert not lifecycle.resubscribe(subscription.pk)


def test_a_reader_who_never_confirmed_cannot_resubscribe(ask: Ask) -> None:
    subscription = ask()
    assert subscription is not None
    lifecycle.unsubscribe(subscription.pk)
    assert not lifecycle.resubscribe(subscription.pk)


def test_unsubscribing_drops_queued_emails(ask: Ask) -> None:
    subscription = ask()
    assert subscription is not None
    lifecycle.unsubscribe(subscription.pk)
    assert TransactionalEmail.objects.get().state == TransactionalEmail.State.DROPPED


def test_d3_a_complaint_ends_every_subscription(add_reader: AddReader, weekly: Newsletter) -> None:
    first = add_reader("en")
    other = Newsletter.objects.create(
        slug="other", languages=["en"], sender_address="desk@news.example.org"
    )
    second = lifecycle.add_confirmed(
        ALA, newsletter=other, languages=["en"], page_language="en", source="operator"
    )
    reader = first.subscriber
    suppression.suppress(
        AddressHash(reader.address_hash_key, bytes(reader.address_hash)), "complained"
    )
    for subscription in (first, second):
        subscription.refresh_from_db()
        assert subscription.state == State.UNSUBSCRIBED
        assert not lifecycle.resubscribe(subscription.pk)


def test_a_weaker_reason_does_not_replace_a_stronger(newsroom: object) -> None:
    suppress("bounced")
    suppress("complained")
    suppress("erased")
    assert Suppression.objects.get().reason == "complained"


def test_an_operator_adds_a_reader(add_reader: AddReader) -> None:
    subscription = add_reader("be", "ru", "be")
    assert (subscription.state, subscription.languages) == (State.ACTIVE, ("be", "ru"))
    consent = subscription.consents.get()
    assert (consent.action, consent.source) == ("recorded", "operator")
    assert "Тыдзень у фокусе" in consent.wording
    assert add_reader("en").pk == subscription.pk
    assert emails() == []


def test_an_operators_mistakes_are_refused(add_reader: AddReader, newsroom: object) -> None:
    with pytest.raises(AddressError):
        add_reader("be", address="nobody")
    with pytest.raises(LanguageUnavailableError, match="ka"):
        add_reader("ka")
    suppress("complained")
    with pytest.raises(SuppressedError):
        add_reader("be")
    assert not Subscriber.objects.exists()
