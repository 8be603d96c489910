"""Key documents: adding and removing keys, locking with a passphrase, and changed files."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from newsletter.lib import key_documents, keys
from newsletter.lib.keys import KeyFileError, current_key

pytestmark = pytest.mark.slow

PASSPHRASE = "seven quiet storks over the Bug"


def test_added_keys_are_not_used_until_activated() -> None:
    web, worker, added = key_documents.add_keys(*keys.generate_documents(), key_documents.PURPOSES)
    assert added == dict.fromkeys(key_documents.PURPOSES, 2)
    before = keys.parse_worker_keys(json.dumps(worker)), keys.parse_web_keys(json.dumps(web))
    assert current_key(before[0].storage)[0] == current_key(before[1].sealing)[0] == 1
    assert set(before[0].storage) == {1, 2}
    web, worker = key_documents.use_newest(web, worker)
    after = keys.parse_worker_keys(json.dumps(worker)), keys.parse_web_keys(json.dumps(web))
    for ring in (after[0].storage, after[0].index, after[1].sealing, after[1].tokens):
        assert current_key(ring)[0] == 2
    assert key_documents.mismatched_sealing_keys(after[1], after[0]) == []


def test_a_key_can_be_added_for_one_purpose() -> None:
    old = keys.generate_documents()
    web, worker, added = key_documents.add_keys(*old, ["index"])
    assert added == {"index": 2}
    assert web == old[0]
    assert worker["storage"] == old[1]["storage"]


def test_the_key_in_use_cannot_be_removed() -> None:
    web, worker, _ = key_documents.add_keys(*keys.generate_documents(), ["sealing"])
    with pytest.raises(KeyFileError, match="in use"):
        key_documents.remove_key(web, worker, "sealing", 1)
    web, worker = key_documents.use_newest(web, worker)
    web, worker = key_documents.remove_key(web, worker, "sealing", 1)
    assert set(web["sealing"]) == set(worker["opening"]) == {"2"}
    with pytest.raises(KeyFileError, match="key number 1 does not exist"):
        key_documents.remove_key(web, worker, "sealing", 1)


def test_number_255_is_the_last() -> None:
    web, worker = keys.generate_documents()
    worker["storage"]["255"] = worker["storage"]["1"]
    with pytest.raises(KeyFileError, match="no key number is left"):
        key_documents.add_keys(web, worker, ["storage"])


def test_a_missing_key_cannot_be_in_use() -> None:
    _, worker = keys.generate_documents()
    with pytest.raises(KeyFileError, match='"use"'):
        keys.parse_worker_keys(json.dumps({**worker, "use": {"index": 7}}))


def test_a_passphrase_locks_and_unlocks() -> None:
    document = json.dumps(keys.generate_documents()[1])
    locked = key_documents.lock(document, PASSPHRASE)
    assert key_documents.is_locked(locked)
    assert keys.parse_document(document)["storage"]["1"] not in locked
    assert key_documents.unlock(locked, PASSPHRASE) == document
    assert key_documents.unlock(document, "") == document


@pytest.mark.parametrize(
    ("passphrase", "says"),
    [("", "set WORKER_KEYS_PASSPHRASE"), ("another one, as long", "passphrase is wrong")],
)
def test_a_wrong_passphrase_is_refused(passphrase: str, says: str) -> None:
    locked = key_documents.lock("{}", PASSPHRASE)
    with pytest.raises(KeyFileError, match=says):
        key_documents.unlock(locked, passphrase)


@pytest.mark.parametrize("change", [{"salt": "zz"}, {"n": 2**30}, {"n": "x"}, {"box": None}])
def test_a_damaged_document_is_refused(change: dict[str, object]) -> None:
    locked = json.loads(key_documents.lock("{}", PASSPHRASE))
    with pytest.raises(KeyFileError, match="damaged"):
        key_documents.unlock(json.dumps({**locked, **change}), PASSPHRASE)


def test_a_short_passphrase_is_refused() -> None:
    with pytest.raises(KeyFileError, match="at least 12"):
        key_documents.lock("{}", "storks")


def test_a_changed_key_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "worker.json"
    web, worker = keys.generate_documents()
    path.write_text(json.dumps(worker))
    held = keys.load_worker_keys(path, unlock=lambda text: text)
    assert held.fresh() is held
    _, changed, _ = key_documents.add_keys(web, worker, ["storage"])
    path.write_text(json.dumps(changed))
    assert set(held.fresh().storage) == {1, 2}
    assert set(held.storage) == {1}


@pytest.mark.parametrize("what", ["gone", "half"])
def test_an_unreadable_key_file_changes_nothing(
    tmp_path: Path, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "web.json"
    text = json.dumps(keys.generate_documents()[0])
    path.write_text(text)
    held = keys.load_web_keys(path)
    if what == "gone":
        path.unlink()
    else:
        path.write_text(text[:90])
        os.utime(path, ns=(1, 1))
    assert held.fresh() is held
    assert "action=kept-the-keys-read-before" in caplog.text
    assert text[20:40] not in caplog.text
