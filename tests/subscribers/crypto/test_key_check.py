"""A process with a wrong key doesn't start."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import DatabaseError

from newsletter import checks
from newsletter.lib import key_documents, keys
from newsletter.lib.keys import WebKeys, WorkerKeys
from subscribers.crypto import key_check
from subscribers.models import KeyCheck

pytestmark = pytest.mark.django_db


def sets(web: Any, worker: Any) -> tuple[WebKeys, WorkerKeys]:
    return keys.parse_web_keys(json.dumps(web)), keys.parse_worker_keys(json.dumps(worker))


def test_the_first_start_stores_a_mark_of_each_key_and_the_second_passes(settings: Any) -> None:
    settings.WEB_KEYS, settings.WORKER_KEYS = sets(*keys.generate_documents())
    assert key_check.check() == []
    assert set(KeyCheck.objects.values_list("purpose", "number")) == {
        ("storage", 1),
        ("index", 1),
        ("sealing", 1),
        ("tokens", 1),
    }
    assert key_check.check() == []
    assert KeyCheck.objects.count() == 4


def test_a_mark_does_not_contain_its_key(settings: Any) -> None:
    documents = keys.generate_documents()
    settings.WEB_KEYS, settings.WORKER_KEYS = sets(*documents)
    key_check.check()
    for mark in KeyCheck.objects.all():
        assert bytes(mark.mark).hex() not in json.dumps(documents)
        assert len(bytes(mark.mark)) == 16


def test_e005_stops_a_worker_with_other_keys(settings: Any) -> None:
    settings.KEYS_ARE_TEMPORARY = False
    settings.WEB_KEYS, settings.WORKER_KEYS = sets(*keys.generate_documents())
    assert key_check.check() == []
    settings.WEB_KEYS, settings.WORKER_KEYS = sets(*keys.generate_documents())
    assert {message.id for message in run_checks(tags=[checks.TAG])} >= {"newsletter.E005"}
    with pytest.raises(SystemExit, match="storage 1: not the key that this database"):
        checks.require_configuration()


def test_a_web_process_with_a_foreign_sealing_key_is_stopped(settings: Any) -> None:
    settings.WEB_KEYS, settings.WORKER_KEYS = sets(*keys.generate_documents())
    key_check.check()
    settings.WEB_KEYS, settings.WORKER_KEYS = sets(*keys.generate_documents())[0], None
    assert [fault.partition(":")[0] for fault in key_check.check()] == ["sealing 1", "tokens 1"]


def test_halves_of_different_pairs_are_reported() -> None:
    web, worker = sets(keys.generate_documents()[0], keys.generate_documents()[1])
    assert key_check.mismatches(web, worker, {}) == [
        "sealing 1: WEB_KEYS and WORKER_KEYS hold halves of different pairs"
    ]


def test_keys_from_before_a_rotation_are_not_enough_for_a_worker() -> None:
    old = keys.generate_documents()
    web, worker, _added = key_documents.add_keys(*old, key_documents.PURPOSES)
    marks = key_check.key_marks(*sets(web, worker))
    assert key_check.mismatches(*sets(web, worker), marks) == []
    missing = key_check.mismatches(*sets(*old), marks)
    assert "storage 2: this key, which the database needs, is not there" in missing
    # A web process may use its older key until the new document reaches it.
    alone = key_check.mismatches(sets(*old)[0], None, marks)
    assert alone == ["tokens 2: this key, which the database needs, is not there"]


def test_an_unreadable_database_does_not_pass_as_a_match(monkeypatch: pytest.MonkeyPatch) -> None:
    def down() -> None:
        raise DatabaseError

    monkeypatch.setattr(key_check, "stored_marks", down)
    with pytest.raises(key_check.CannotCompareError):
        key_check.check()
