"""Rotation: under new keys bit by bit, and nobody is lost on the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from newsletter.lib import key_documents, keys
from newsletter.lib.keys import WorkerKeys
from subscribers import audience, lifecycle, suppression
from subscribers.addresses import normalise
from subscribers.crypto import rotation
from subscribers.crypto.sealing import address_hash, address_hashes, seal_arrival
from subscribers.models import Intake, Subscriber, Subscription, Suppression
from tests.subscribers.conftest import ALA, AddReader, Ask

pytestmark = pytest.mark.django_db
Rotate = Callable[[], None]


@pytest.fixture
def rotate(settings: Any) -> Rotate:
    """A function that puts new storage and index keys into use, as `keys rotate` does."""
    web, worker = keys.generate_documents()
    settings.WEB_KEYS = keys.parse_web_keys(json.dumps(web))
    settings.WORKER_KEYS = keys.parse_worker_keys(json.dumps(worker))
    documents = [web, worker]

    def go() -> None:
        documents[:] = key_documents.use_newest(
            *key_documents.add_keys(*documents, ["storage", "index"])[:2]
        )
        settings.WORKER_KEYS = keys.parse_worker_keys(json.dumps(documents[1]))

    return go


def without_old_keys(settings: Any) -> None:
    held: WorkerKeys = settings.WORKER_KEYS
    settings.WORKER_KEYS = WorkerKeys(
        held.opening, *(dict([keys.current_key(ring)]) for ring in (held.index, held.storage))
    )


def test_every_reader_is_under_the_new_keys_and_opens_without_the_old(
    add_reader: AddReader, rotate: Rotate, settings: Any
) -> None:
    added = [add_reader(address=f"r{number}@readers.example") for number in range(30)]
    rotate()
    assert rotation.left() == 30
    assert rotation.step(1000) == rotation.Progress(done=30)
    assert rotation.left() == 0
    without_old_keys(settings)
    for number, subscription in enumerate(added):
        subscriber = Subscriber.objects.get(pk=subscription.subscriber_id)
        assert audience.address_of(subscriber) == f"r{number}@readers.example"
        assert (
            bytes(subscriber.address_hash)
            == address_hash(normalise(f"R{number}@readers.example")).value
        )
        assert (subscriber.storage_key, subscriber.address_hash_key) == (2, 2)


def test_it_goes_on_where_it_stopped(
    add_reader: AddReader, rotate: Rotate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "PORTION", 4)
    for number in range(10):
        add_reader(address=f"r{number}@readers.example")
    rotate()
    assert [rotation.step(6).done for _ in range(3)] == [6, 4, 0]
    rotate()
    assert rotation.step(100).done == 10


def test_nothing_to_do_costs_one_query(
    add_reader: AddReader, rotate: Rotate, django_assert_num_queries: Any
) -> None:
    add_reader()
    rotate()
    rotation.step(10)
    with django_assert_num_queries(1):
        assert rotation.step(10) == rotation.Progress()


def test_without_worker_keys_it_leaves_all_as_it_is(settings: Any) -> None:
    settings.WORKER_KEYS = None
    assert rotation.step(10) == rotation.Progress()


def test_a_row_that_changed_meanwhile_is_left_for_the_next(
    add_reader: AddReader, rotate: Rotate, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_reader()
    rotate()
    real = rotation._change

    def while_it_is_computed(row: Any) -> Any:
        Subscriber.objects.update(storage_key=1, sealed_address=b"moved")
        return real(row)

    with monkeypatch.context() as patch:
        patch.setattr(rotation, "_change", while_it_is_computed)
        assert rotation.step(10) == rotation.Progress(done=0, stuck=1)
    assert bytes(Subscriber.objects.get().sealed_address) == b"moved"


def test_a_row_that_cannot_be_opened_stops_nobody_else(
    add_reader: AddReader, rotate: Rotate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "PORTION", 2)
    for number in range(5):
        add_reader(address=f"r{number}@readers.example")
    spoilt = Subscriber.objects.earliest("pk")
    Subscriber.objects.filter(pk=spoilt.pk).update(sealed_address=b"spoilt")
    rotate()
    assert rotation.step(100) == rotation.Progress(done=4, stuck=1)


def test_a_reader_is_found_before_and_after(add_reader: AddReader, rotate: Rotate) -> None:
    """Nobody is there twice: an address is looked up under each key that is held."""
    first = add_reader("en")
    rotate()
    assert add_reader("be").pk == first.pk
    rotation.step(10)
    assert add_reader("ru").pk == first.pk
    assert Subscriber.objects.count() == 1


@pytest.mark.parametrize("reason", ["complained", "bounced"])
@pytest.mark.parametrize("after", ["reader there", "reader erased"])
def test_a_suppression_still_holds(
    add_reader: AddReader, ask: Ask, rotate: Rotate, reason: str, after: str
) -> None:
    """B4, B9: under an older key where the reader is erased, as nobody can index them anew."""
    subscription = add_reader()
    suppression.suppress(address_hash(normalise(ALA)), reason)
    if after == "reader erased":
        subscription.subscriber.delete()
    rotate()
    rotation.step(10)
    ask()
    assert not Subscription.objects.exclude(state="unsubscribed").exists()
    with pytest.raises(lifecycle.Suppressed):
        add_reader()
    assert Suppression.objects.get().address_hash_key == 2


def test_a_new_opt_in_lifts_an_erasure_of_older_times(
    add_reader: AddReader, ask: Ask, rotate: Rotate
) -> None:
    """B9."""
    add_reader().subscriber.delete()
    suppression.suppress(address_hash(normalise(ALA)), "erased")
    rotate()
    asked = ask()
    assert asked is not None
    assert lifecycle.confirm(asked.pk) is lifecycle.Confirmation.NOW
    assert not Suppression.objects.exists()


def test_of_two_suppressions_the_stronger_reason_stays(rotate: Rotate) -> None:
    rotate()
    new, old = address_hashes(normalise(ALA))
    for index, reason in ((old, "complained"), (new, "erased")):
        Suppression.objects.create(
            address_hash=index.value, address_hash_key=index.key, reason=reason
        )
    assert rotation.current_hash_of(normalise(ALA)) == new
    left = Suppression.objects.get()
    assert (left.reason, bytes(left.address_hash)) == ("complained", new.value)


def test_an_address_that_is_there_twice_is_told_and_nothing_is_lost(
    add_reader: AddReader, rotate: Rotate, caplog: pytest.LogCaptureFixture
) -> None:
    first = add_reader().subscriber
    rotate()
    new = address_hash(normalise(ALA))
    Subscriber.objects.create(
        address_hash=new.value,
        address_hash_key=2,
        storage_key=2,
        sealed_address=b"x",
        language="en",
    )
    assert rotation.step(10) == rotation.Progress(done=0, stuck=1)
    assert Subscriber.objects.filter(pk=first.pk).exists()
    assert "action=readers-are-there-twice readers=1" in caplog.text
    assert "readers.example" not in caplog.text


def needing_the_first_key() -> dict[str, int]:
    return {name: rotation.carrying(name, 1) for name in ("storage", "index", "sealing")}


def test_what_still_needs_a_key(add_reader: AddReader, rotate: Rotate) -> None:
    add_reader()
    add_reader(address="gone@readers.example").subscriber.delete()
    suppression.suppress(address_hash(normalise("gone@readers.example")), "erased")
    sealed = seal_arrival({"address": ALA})
    Intake.objects.create(kind="sign-up", sealed=sealed.value, sealing_key=sealed.key)
    rotate()
    assert needing_the_first_key() == {"storage": 1, "index": 2, "sealing": 1}
    rotation.step(10)
    # The erased reader's index stays under its key.
    assert needing_the_first_key() == {"storage": 0, "index": 1, "sealing": 1}
