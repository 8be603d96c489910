"""What an intruder in one process can reach, for test_seizure.py: `python -m tests.seized_process`.

`sign-up ADDRESS` leaves a sealed sign-up in the intake. `break-in ADDRESS` attempts everything that
the process's settings might allow, and prints what succeeded as JSON. The intruder is given the
true address: even so, the web process can't confirm it.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import os
import sys
from collections.abc import Callable
from typing import Any

import django
from django.conf import settings
from django.core.management import CommandError, call_command
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox

django.setup()

from newsletter.editorial.models import Newsletter  # noqa: E402 - models need the set-up
from subscribers import audience, intake, personal_data  # noqa: E402
from subscribers.addresses import Address, normalise  # noqa: E402
from subscribers.crypto import rotation, sealing  # noqa: E402
from subscribers.crypto.sealing import Ciphertext, SealedError  # noqa: E402
from subscribers.lists import export  # noqa: E402
from subscribers.models import Intake, Subscriber  # noqa: E402


def sign_up(address: str) -> None:
    """Create the weekly newsletter, and sign the address up for it as the web process does."""
    weekly = Newsletter.objects.create(
        slug="weekly",
        languages=["en"],
        choices=[{"label": "EN", "languages": ["en"]}],
        sender_address="desk@news.example.org",
        time="09:00",
    )
    intake.receive_sign_up(
        normalise(address), newsletter=weekly, languages=("en",), page_language="en"
    )


def break_in(address: str) -> list[str]:
    """Return the names of the attacks that succeeded."""
    guess = normalise(address)
    reader, arrival = Subscriber.objects.get(), Intake.objects.get()
    waiting = Ciphertext(arrival.sealing_key, bytes(arrival.sealed))
    row = b"|".join(
        bytes(value) if isinstance(value, (bytes, memoryview)) else str(value).encode()
        for each in (reader, arrival)
        for value in vars(each).values()
    )
    return [
        *_through_functions(guess, reader, waiting),
        *_through_commands(),
        *_through_secrets(guess, waiting, row),
    ]


def _through_functions(guess: Address, reader: Subscriber, waiting: Ciphertext) -> list[str]:
    stored = Ciphertext(reader.storage_key, bytes(reader.sealed_address))
    attacks: dict[str, Callable[[], Any]] = {
        "open": lambda: sealing.open_address(stored, reader.public_id),
        "address": lambda: audience.address_of(reader),
        "arrival": lambda: sealing.open_intake(waiting),
        "export": lambda: personal_data.export(reader),
        "list": lambda: list(export.readers(reader.subscriptions.get().newsletter)),
        "guess": lambda: sealing.address_hash(guess),
        "look up": lambda: rotation.current_hash_of(guess),
    }
    succeeded = []
    for name, attack in attacks.items():
        try:
            attack()
        except SealedError:
            continue
        succeeded.append(name)
    return succeeded


def _through_commands() -> list[str]:
    file = os.environ["VAR_DIR"] + ".age"
    succeeded = []
    for command in (["kill_switch", "off"], ["export_readers", "weekly", "--to", file]):
        try:
            call_command(*command)
        except CommandError:
            continue
        succeeded.append(command[0])
    return succeeded


def _through_secrets(guess: Address, waiting: Ciphertext, row: bytes) -> list[str]:
    """Try every secret of this process as the key of every hash and cipher it has."""
    web = settings.WEB_KEYS
    secrets = [settings.SECRET_KEY.encode(), *web.tokens.values(), *web.sealing.values()]
    secrets += [hashlib.sha256(each).digest() for each in secrets] + [b"", bytes(32)]
    succeeded = []
    if any(digest in row for digest in _hashes(guess, secrets)):
        succeeded.append("hash")
    for key in secrets:
        try:
            SealedBox(PrivateKey(key[:32].ljust(32, b"0"))).decrypt(waiting.value)
        except CryptoError:
            continue
        succeeded.append("box")
    # Sealing the same address again must not give the same bytes.
    if sealing.seal_intake({"address": guess.email}).value[32:64] in row:
        succeeded.append("sealed alike")
    return succeeded


def _hashes(guess: Address, secrets: list[bytes]) -> set[bytes]:
    hashes = set()
    for key, text in itertools.product(secrets, {guess.email, guess.key, guess.local, guess.domain}):
        data = text.encode()
        hashes.add(hashlib.blake2b(data, key=key[:64], digest_size=32).digest())
        for algorithm in ("md5", "sha1", "sha256", "sha512", "blake2b"):
            hashes.add(hashlib.new(algorithm, data).digest())
            hashes.add(hmac.new(key, data, algorithm).digest())
    return hashes


def main() -> None:
    action, address = sys.argv[1:]
    if action == "sign-up":
        sign_up(address)
    else:
        succeeded = break_in(address)
        print(json.dumps({"keys": settings.WORKER_KEYS is not None, "opened": succeeded}))


if __name__ == "__main__":
    main()
