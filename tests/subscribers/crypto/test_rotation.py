"""Rotation rewrites readers in portions and loses nobody."""

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
from subscribers.crypto.sealing import address_hash, address_hashes, seal_intake
from subscribers.models import Intake, Subscriber, Subscription, Suppression
from tests.subscribers.conftest import ALA, AddReader, Ask

pytestmark = pytest.mark.django_db
Rotate = Callable[[], None]


@pytest.fixture
def rotate(settings: Any) -> Rotate:
    """A function that switches to new storage and index keys, as `keys rotate` does."""
    web, worker = keys.generate_documents()
    settings.WEB_KEYS = keys.parse_web_keys(json.dumps(web))
    settings.WORKER_KEYS = keys.parse_worker_keys(json.dumps(worker))

    def switch_keys() -> None:
        nonlocal web, worker
        added = key_documents.add_keys(web, worker, ["storage", "index"])
        web, worker = key_documents.use_newest(added[0], added[1])
        settings.WORKER_KEYS = keys.parse_worker_keys(json.dumps(worker))

    return switch_keys


def without_old_keys(settings: Any) -> None:
    held: WorkerKeys = settings.WORKER_KEYS
    settings.WORKER_KEYS = WorkerKeys(
        held.opening, dict([keys.current_key(held.index)]), dict([keys.current_key(held.storage)])
    )


def test_rotated_readers_open_without_the_old_keys(
    add_reader: AddReader, rotate: Rotate, settings: Any
) -> None:
    added = [add_reader(address=f"r{number}@readers.example") for number in range(30)]
    rotate()
    assert rotation.remaining() == 30
    assert rotation.rotate(1000) == rotation.RotationResult(done=30)
    assert rotation.remaining() == 0
    without_old_keys(settings)
    for number, subscription in enumerate(added):
        subscriber = Subscriber.objects.get(pk=subscription.subscriber_id)
        assert audience.address_of(subscriber) == f"r{number}@readers.example"
        assert (
            bytes(subscriber.address_hash)
            == address_hash(normalise(f"R{number}@readers.example")).digest
        )
        assert (subscriber.storage_key, subscriber.address_hash_key) == (2, 2)


def test_it_continues_where_it_stopped(
    add_reader: AddReader, rotate: Rotate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "PORTION", 4)
    for number in range(10):
        add_reader(address=f"r{number}@readers.example")
    rotate()
    assert [rotation.rotate(6).done for _ in range(3)] == [6, 4, 0]
    rotate()
    assert rotation.rotate(100).done == 10


def test_a_finished_rotation_costs_one_query(
    add_reader: AddReader, rotate: Rotate, django_assert_num_queries: Any
) -> None:
    add_reader()
    rotate()
    rotation.rotate(10)
    with django_assert_num_queries(1):
        assert rotation.rotate(10) == rotation.RotationResult()


def test_without_worker_keys_it_does_nothing(settings: Any) -> None:
    settings.WORKER_KEYS = None
    assert rotation.rotate(10) == rotation.RotationResult()


def test_a_row_that_changed_in_between_is_left_for_the_next_portion(
    add_reader: AddReader, rotate: Rotate, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_reader()
    rotate()
    real = rotation._change

    def change_row_first(row: Any) -> Any:
        Subscriber.objects.update(storage_key=1, sealed_address=b"moved")
        return real(row)

    with monkeypatch.context() as patch:
        patch.setattr(rotation, "_change", change_row_first)
        assert rotation.rotate(10) == rotation.RotationResult(done=0, stuck=1)
    assert bytes(Subscriber.objects.get().sealed_address) == b"moved"


def test_a_row_that_cannot_be_opened_does_not_stop_the_others(
    add_reader: AddReader, rotate: Rotate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "PORTION", 2)
    for number in range(5):
        add_reader(address=f"r{number}@readers.example")
    damaged = Subscriber.objects.earliest("pk")
    Subscriber.objects.filter(pk=damaged.pk).update(sealed_address=b"damaged")
    rotate()
    assert rotation.rotate(100) == rotation.RotationResult(done=4, stuck=1)


def test_a_reader_is_found_before_and_after_rotation(add_reader: AddReader, rotate: Rotate) -> None:
    """An address is looked up under each key, so no reader is duplicated."""
    first = add_reader("en")
    rotate()
    assert add_reader("be").pk == first.pk
    rotation.rotate(10)
    assert add_reader("ru").pk == first.pk
    assert Subscriber.objects.count() == 1


@pytest.mark.parametrize("reason", ["complained", "bounced"])
@pytest.mark.parametrize("after", ["reader exists", "reader erased"])
def test_a_suppression_survives_rotation(
    add_reader: AddReader, ask: Ask, rotate: Rotate, reason: str, after: str
) -> None:
    """B4, B9: an erased reader's hash can't be recomputed, so it is found under the older key."""
    subscription = add_reader()
    suppression.suppress(address_hash(normalise(ALA)), reason)
    if after == "reader erased":
        subscription.subscriber.delete()
    rotate()
    rotation.rotate(10)
    ask()
    assert not Subscription.objects.exclude(state="unsubscribed").exists()
    with pytest.raises(lifecycle.SuppressedError):
        add_reader()
    assert Suppression.objects.get().address_hash_key == 2


def test_b9_a_new_opt_in_lifts_an_erasure_under_an_older_key(
    add_reader: AddReader, ask: Ask, rotate: Rotate
) -> None:
    add_reader().subscriber.delete()
    suppression.suppress(address_hash(normalise(ALA)), "erased")
    rotate()
    asked = ask()
    assert asked is not None
    assert lifecycle.confirm(asked.pk) is lifecycle.Confirmation.CONFIRMED
    assert not Suppression.objects.exists()


def test_the_stronger_of_two_suppressions_stays(rotate: Rotate) -> None:
    rotate()
    new, old = address_hashes(normalise(ALA))
    for hashed, reason in ((old, "complained"), (new, "erased")):
        Suppression.objects.create(
            address_hash=hashed.digest, address_hash_key=hashed.key_number, reason=reason
        )
    assert rotation.current_hash_of(normalise(ALA)) == new
    left = Suppression.objects.get()
    assert (left.reason, bytes(left.address_hash)) == ("complained", new.digest)


def test_a_duplicate_address_is_logged_and_nothing_is_lost(
    add_reader: AddReader, rotate: Rotate, caplog: pytest.LogCaptureFixture
) -> None:
    first = add_reader().subscriber
    rotate()
    new = address_hash(normalise(ALA))
    Subscriber.objects.create(
        address_hash=new.digest,
        address_hash_key=2,
        storage_key=2,
        sealed_address=b"x",
        language="en",
    )
    assert rotation.rotate(10) == rotation.RotationResult(done=0, stuck=1)
    assert Subscriber.objects.filter(pk=first.pk).exists()
    assert "action=duplicate-readers readers=1" in caplog.text
    assert "readers.example" not in caplog.text


def needing_the_first_key() -> dict[str, int]:
    return {name: rotation.rows_using_key(name, 1) for name in ("storage", "index", "sealing")}


def test_rows_that_still_need_a_key_are_counted(add_reader: AddReader, rotate: Rotate) -> None:
    add_reader()
    add_reader(address="gone@readers.example").subscriber.delete()
    suppression.suppress(address_hash(normalise("gone@readers.example")), "erased")
    sealed = seal_intake({"address": ALA})
    Intake.objects.create(kind="sign-up", sealed=sealed.data, sealing_key=sealed.key_number)
    rotate()
    assert needing_the_first_key() == {"storage": 1, "index": 2, "sealing": 1}
    rotation.rotate(10)
    # The erased reader's hash stays under its key.
    assert needing_the_first_key() == {"storage": 0, "index": 1, "sealing": 1}
