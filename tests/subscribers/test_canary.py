"""The canary: a wrong key stops the start."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import DatabaseError

from newsletter import checks
from newsletter.lib import keydocuments, keys
from newsletter.lib.keys import WebKeys, WorkerKeys
from subscribers import canary
from subscribers.models import KeyCanary

pytestmark = pytest.mark.django_db


def sets(web: Any, worker: Any) -> tuple[WebKeys, WorkerKeys]:
    return keys.web_keys(json.dumps(web)), keys.worker_keys(json.dumps(worker))


def test_the_first_start_leaves_a_mark_of_each_key_and_the_second_passes(settings: Any) -> None:
    settings.WEB_KEYS, settings.WORKER_KEYS = sets(*keys.generate())
    assert canary.check() == []
    assert set(KeyCanary.objects.values_list("purpose", "number")) == {
        ("storage", 1),
        ("index", 1),
        ("sealing", 1),
        ("tokens", 1),
    }
    assert canary.check() == []
    assert KeyCanary.objects.count() == 4


def test_a_mark_tells_nothing_of_its_key(settings: Any) -> None:
    documents = keys.generate()
    settings.WEB_KEYS, settings.WORKER_KEYS = sets(*documents)
    canary.check()
    for mark in KeyCanary.objects.all():
        assert bytes(mark.mark).hex() not in json.dumps(documents)
        assert len(bytes(mark.mark)) == 16


def test_e005_stops_a_worker_with_other_keys(settings: Any) -> None:
    settings.KEYS_ARE_TEMPORARY = False
    settings.WEB_KEYS, settings.WORKER_KEYS = sets(*keys.generate())
    assert canary.check() == []
    settings.WEB_KEYS, settings.WORKER_KEYS = sets(*keys.generate())
    assert {message.id for message in run_checks(tags=[checks.TAG])} >= {"newsletter.E005"}
    with pytest.raises(SystemExit, match="storage 1: not the key that this database"):
        checks.insist()


def test_a_web_process_that_would_seal_for_nobody_is_stopped(settings: Any) -> None:
    settings.WEB_KEYS, settings.WORKER_KEYS = sets(*keys.generate())
    canary.check()
    settings.WEB_KEYS, settings.WORKER_KEYS = sets(*keys.generate())[0], None
    assert [fault.partition(":")[0] for fault in canary.check()] == ["sealing 1", "tokens 1"]


def test_halves_of_different_pairs() -> None:
    web, worker = sets(keys.generate()[0], keys.generate()[1])
    assert canary.faults(web, worker, {}) == [
        "sealing 1: WEB_KEYS and WORKER_KEYS hold halves of different pairs"
    ]


def test_keys_from_before_a_rotation_are_not_enough_for_a_worker() -> None:
    old = keys.generate()
    web, worker, _added = keydocuments.add_numbers(*old, keydocuments.PURPOSES)
    marks = canary.marks_of(*sets(web, worker))
    assert canary.faults(*sets(web, worker), marks) == []
    missing = canary.faults(*sets(*old), marks)
    assert "storage 2: this key, which the database needs, is not there" in missing
    # A web process seals under the key that it has until the new document reaches it.
    alone = canary.faults(sets(*old)[0], None, marks)
    assert alone == ["tokens 2: this key, which the database needs, is not there"]


def test_without_a_database_it_is_silent(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def down() -> None:
        raise DatabaseError

    monkeypatch.setattr(canary, "read", down)
    assert canary.check() == []
