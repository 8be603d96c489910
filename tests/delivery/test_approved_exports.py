"""Exports that two people approve (issue 5): verified where the worker's keys are, whatever the
database says."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from nacl.public import PrivateKey
from nacl.signing import SigningKey

from newsletter.delivery import panic
from newsletter.editorial.models import Newsletter
from newsletter.lib import environment
from subscribers import approvals
from subscribers.models import Export
from tests.delivery.conftest import AddReader

RECIPIENT = PrivateKey.generate()
PEOPLE = {name: SigningKey.generate() for name in ("ala", "bob", "chris")}
PURPOSE = "moving to another provider"


@pytest.fixture(autouse=True)
def _two_of_three(settings: Any) -> None:
    settings.EXPORT_RECIPIENT = bytes(RECIPIENT.public_key)
    settings.EXPORT_APPROVERS = {name: bytes(key.verify_key) for name, key in PEOPLE.items()}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "export"


@pytest.fixture
def request_id(add_reader: AddReader) -> str:
    """A request for the weekly's one reader."""
    add_reader("ala@readers.example")
    return asked()


def manage(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out, stderr=StringIO())
    return out.getvalue().strip()


def asked(purpose: str = PURPOSE) -> str:
    statement = manage("exports", "ask", "weekly", "--purpose", purpose)
    return str(json.loads(statement)["export"])


def signature(who: str, text: str) -> str:
    return approvals.sign(text, bytes(PEOPLE[who]))


def approve(request_id: str, *names: str) -> None:
    text = Export.objects.get(public_id=request_id).statement
    for name in names:
        manage("exports", "add", request_id, signature(name, text))


def run(request_id: str, file: Path) -> None:
    call_command(
        "export_readers", "weekly", "--request", request_id, "--to", str(file), stderr=StringIO()
    )


def refused(request_id: str, file: Path, why: str) -> None:
    with pytest.raises(CommandError, match=why):
        run(request_id, file)
    assert not file.exists()


def rewrite(request_id: str, **changes: object) -> None:
    """Write another statement into the row, as whoever has the database can."""
    row = Export.objects.get(public_id=request_id)
    row.statement = approvals.Statement(**{**json.loads(row.statement), **changes}).text()
    row.save()


def test_two_people_approve_on_machines_of_their_own(
    request_id: str, file: Path, tmp_path: Path
) -> None:
    request = tmp_path / "request.json"
    request.write_text(Export.objects.get(public_id=request_id).statement + "\n")
    for name in ("ala", "chris"):
        key = tmp_path / name
        key.write_text(bytes(PEOPLE[name]).hex() + "\n")
        answer = manage("approve_export", str(request), "--key", str(key), "--yes")
        told = manage("exports", "add", request_id, answer)
    assert told == "Approved by ala, chris; 0 more needed."
    run(request_id, file)
    (tmp_path / "recipient").write_text(bytes(RECIPIENT).hex())
    opened = manage("open_export", str(file), "--key", str(tmp_path / "recipient"))
    assert "ala@readers.example" in opened
    trail = Export.objects.get()
    assert (trail.readers, trail.approved_by, trail.purpose) == (1, "ala, chris", PURPOSE)
    assert trail.made_at is not None
    assert "1 readers, approved by ala, chris" in manage("exports", "list")


def test_without_a_request_or_in_clear_nothing_is_exported(
    add_reader: AddReader, file: Path
) -> None:
    add_reader("ala@readers.example")
    with pytest.raises(CommandError, match="Two people must approve"):
        call_command("export_readers", "weekly", "--to", str(file))
    terminal = StringIO()
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    with pytest.raises(CommandError, match="not --plain"):
        call_command("export_readers", "weekly", "--plain", "--to", "-", stdout=terminal)
    assert not terminal.getvalue()
    assert not file.exists()


def test_evidence_of_consent_holds_no_address_and_needs_no_approval(
    add_reader: AddReader, file: Path
) -> None:
    add_reader("ala@readers.example")
    call_command("export_readers", "weekly", "--consents", "--to", str(file), stderr=StringIO())
    assert file.exists()


def test_one_person_is_not_two(request_id: str, file: Path) -> None:
    refused(request_id, file, "0 of 2 approvals: nobody")
    approve(request_id, "bob", "bob")
    refused(request_id, file, "1 of 2 approvals: bob")
    # Nor with the same approval written twice into the row, in two spellings.
    row = Export.objects.get(public_id=request_id)
    row.signatures = [*row.signatures, row.signatures[0].upper()]
    row.save()
    refused(request_id, file, "1 of 2 approvals: bob")


@pytest.mark.parametrize(
    "forged",
    [
        ["00" * 64, "ff" * 64],
        ["ala", "bob"],
        [None, 7],
        {"ala": True, "bob": True},
        "approved",
        None,
        [approvals.sign.__doc__, ""],
    ],
)
def test_an_approval_forged_in_the_database_counts_for_nothing(
    request_id: str, file: Path, forged: object
) -> None:
    if forged is not None:
        Export.objects.update(signatures=forged)
    Export.objects.update(approved_by="ala, bob")
    refused(request_id, file, "0 of 2 approvals")


def test_a_strangers_key_counts_for_nothing(request_id: str, file: Path) -> None:
    text = Export.objects.get().statement
    strangers = [approvals.sign(text, bytes(SigningKey.generate())) for _number in range(2)]
    with pytest.raises(CommandError, match="nobody's of EXPORT_APPROVERS"):
        manage("exports", "add", request_id, strangers[0])
    Export.objects.update(signatures=strangers)
    refused(request_id, file, "0 of 2 approvals")


def test_a_signature_of_the_same_words_for_another_purpose_counts_for_nothing(
    request_id: str, file: Path
) -> None:
    text = Export.objects.get().statement.encode()
    bare = [key.sign(text).signature.hex() for key in PEOPLE.values()]
    Export.objects.update(signatures=bare)
    refused(request_id, file, "0 of 2 approvals")


@pytest.mark.parametrize(
    "changes",
    [
        {"newsletter": "second"},
        {"purpose": "another"},
        {"at_most": 10_000_000},
        {"recipient": bytes(PrivateKey.generate().public_key).hex()},
        {"until": "2099-01-01T00:00+00:00"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_request_that_was_changed_after_its_approval(
    request_id: str, file: Path, changes: dict[str, object]
) -> None:
    approve(request_id, "ala", "bob")
    rewrite(request_id, **changes)
    refused(request_id, file, "0 of 2 approvals")


def test_columns_beside_the_statement_change_nothing(request_id: str, file: Path) -> None:
    approve(request_id, "ala", "bob")
    Export.objects.update(newsletter="second")
    Newsletter.objects.filter(slug="weekly").update(slug="first")
    Newsletter.objects.create(slug="weekly", languages=["en"], sender_address="a@b.example")
    with pytest.raises(CommandError, match="It was approved for “weekly”"):
        call_command("export_readers", "first", "--request", request_id, "--to", str(file))
    assert not file.exists()


def test_an_approval_ends_after_a_day(
    request_id: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    approve(request_id, "ala", "bob")
    later = timezone.now() + approvals.LIFETIME + timedelta(minutes=1)
    monkeypatch.setattr(timezone, "now", lambda: later)
    refused(request_id, file, "It was approved until .* ask again")


def test_approvers_who_sign_for_years_approve_nothing(request_id: str, file: Path) -> None:
    rewrite(request_id, until="2099-01-01T00:00+00:00")
    approve(request_id, "ala", "bob")
    refused(request_id, file, "ask again")


def test_it_is_made_once_even_if_the_database_is_set_back(request_id: str, file: Path) -> None:
    approve(request_id, "ala", "bob")
    run(request_id, file)
    file.unlink()
    refused(request_id, file, "made already")
    Export.objects.update(made_at=None, approved_by="", readers=None)
    refused(request_id, file, "made already")


def test_approvals_of_one_request_do_not_serve_another(request_id: str, file: Path) -> None:
    approve(request_id, "ala", "bob")
    other = asked()
    done = Export.objects.get(public_id=request_id)
    Export.objects.filter(public_id=other).update(signatures=done.signatures)
    refused(other, file, "0 of 2 approvals")
    Export.objects.filter(public_id=other).update(statement=done.statement)
    refused(other, file, "another export")


def test_another_recipient_or_a_list_that_has_grown(
    request_id: str, file: Path, settings: Any, add_reader: AddReader
) -> None:
    approve(request_id, "ala", "bob")
    for number in range(11):
        add_reader(f"r{number}@readers.example")
    refused(request_id, file, "There are 12 readers, and 11 were approved")
    settings.EXPORT_RECIPIENT = bytes(PrivateKey.generate().public_key)
    refused(request_id, file, "another EXPORT_RECIPIENT")


def test_an_existing_file_does_not_use_the_approval_up(request_id: str, file: Path) -> None:
    approve(request_id, "ala", "bob")
    file.write_text("precious")
    with pytest.raises(CommandError, match="File exists"):
        run(request_id, file)
    file.unlink()
    run(request_id, file)


def test_a_frozen_site_neither_asks_nor_exports(request_id: str, file: Path) -> None:
    approve(request_id, "ala", "bob")
    panic.freeze()
    refused(request_id, file, "frozen")
    with pytest.raises(CommandError, match="frozen"):
        asked()


def test_only_where_the_workers_keys_are(request_id: str, file: Path, settings: Any) -> None:
    approve(request_id, "ala", "bob")
    settings.WORKER_KEYS = None
    refused(request_id, file, "holds no worker keys")


@pytest.mark.parametrize("unknown", ["x", "8c6976e5-b541-0415-bde9-08bd4dee15df"])
def test_an_unknown_request(add_reader: AddReader, file: Path, unknown: str) -> None:
    add_reader("ala@readers.example")
    refused(unknown, file, "There is no such request")


@pytest.mark.parametrize(
    "purpose", ["", " ", "x" * 201, "two\nlines", "for a@b.example", "\x1b[1m"]
)
def test_a_purpose_is_one_line_without_address(weekly: Newsletter, purpose: str) -> None:
    with pytest.raises(CommandError, match="purpose"):
        asked(purpose)
    assert not Export.objects.exists()


Spoil = Callable[[str], str]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "PK" + text,
        lambda text: text.replace(PURPOSE, "another\\u001b[2J"),
        lambda text: text.replace(", ", ","),
        lambda text: text[:-1] + ', "more": 1}',
        lambda text: text.replace("+00:00", ""),
        lambda text: "[]",
    ],
)
def test_an_approver_signs_what_can_be_read_only(
    request_id: str, tmp_path: Path, spoil: Spoil
) -> None:
    request, key = tmp_path / "request", tmp_path / "key"
    request.write_text(spoil(Export.objects.get().statement))
    key.write_text(bytes(PEOPLE["ala"]).hex())
    with pytest.raises(CommandError, match=r"This (is no )?request"):
        manage("approve_export", str(request), "--key", str(key), "--yes")


def test_an_approver_is_asked(
    request_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request, key = tmp_path / "request", tmp_path / "key"
    request.write_text(Export.objects.get().statement)
    key.write_text("no key")
    with pytest.raises(CommandError, match="not a key"):
        manage("approve_export", str(request), "--key", str(key))
    key.write_text(bytes(PEOPLE["ala"]).hex())
    with pytest.raises(CommandError, match="nobody to ask"):
        manage("approve_export", str(request), "--key", str(key))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda *words: "no")
    with pytest.raises(CommandError, match="Not approved"):
        manage("approve_export", str(request), "--key", str(key))


def test_an_export_that_one_person_makes_leaves_its_trail_too(
    add_reader: AddReader, file: Path, settings: Any
) -> None:
    settings.EXPORT_APPROVERS = {}
    add_reader("ala@readers.example")
    call_command("export_readers", "weekly", "--to", str(file), stderr=StringIO())
    trail = Export.objects.get()
    assert (trail.newsletter, trail.readers, trail.approved_by) == ("weekly", 1, "")
    assert "1 readers, no approval needed" in manage("exports", "list")


def test_the_desk_shows_the_trail_and_changes_nothing(
    admin_client: Client, request_id: str
) -> None:
    export = Export.objects.get()
    page = "/admin/subscribers/export/"
    assert PURPOSE in admin_client.get(page).content.decode()
    answer = admin_client.post(f"{page}{export.pk}/change/", {"purpose": "another"})
    assert answer.status_code == 403


def test_a_key_for_an_approver_fits_the_setting(tmp_path: Path) -> None:
    lines = [manage("keys", "approver", name, str(tmp_path / name)) for name in ("ala", "bob")]
    approvers = environment.named_keys(", ".join(lines))
    assert list(approvers) == ["ala", "bob"]
    seed = bytes.fromhex((tmp_path / "ala").read_text())
    assert bytes(SigningKey(seed).verify_key) == approvers["ala"]
    assert (tmp_path / "ala").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ala", "NAME=KEY"),
        ("=" + "00" * 32, "NAME=KEY"),
        ("ala=00", "32 bytes"),
        ("ala=xyz", "ala: not hexadecimal"),
        (f"ala={'00' * 32},ala={'11' * 32}", "ala is there twice"),
        (f"ala={'00' * 32},bob={'00' * 32}", "the same key"),
    ],
)
def test_a_mistake_in_the_setting_is_named(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        environment.named_keys(text)
