"""`manage.py keys …`: create, rotate, retire and recover the two sets of keys."""

from __future__ import annotations

import getpass
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from newsletter.lib import key_documents
from newsletter.lib.keys import KeyFileError
from newsletter.local import key_files
from subscribers.crypto import key_check, rotation

EXPLANATION = """\
{web}
    for every process: signs links and seals new addresses (WEB_KEYS_FILE).
{worker}
    for workers and the operator only: decrypts the list of readers (WORKER_KEYS_FILE).
"""
NO_COPY = """\
    If you lose it, nobody can read the list again: --no-recovery made no copy.
"""
COPY = """\
{recovery}
    a copy of both. Move it off this machine, and keep it apart from the database's backups.
    To restore the keys from it: manage.py keys recover FILE
"""
ADDED = """\
Added new keys, which aren't in use yet. Copy worker.json to each worker host, then web.json to the
web hosts, then to the worker hosts. Then run here: manage.py keys use
"""


class Command(BaseCommand):
    help = "Creates, rotates, retires and recovers the keys of this installation."
    # Before `new` there are no keys, so newsletter.E001 would stop it. The others compare the keys.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="action", required=True)
        new = commands.add_parser("new", help="create web.json and worker.json")
        _directory(new)
        _recovery(new)
        new.add_argument(
            "--passphrase",
            action="store_true",
            help="lock worker.json with WORKER_KEYS_PASSPHRASE, or ask for a passphrase",
        )
        rotate = commands.add_parser("rotate", help="create new keys and use them")
        rotate.add_argument("--only", choices=key_documents.PURPOSES, action="append")
        rotate.add_argument(
            "--add-only", action="store_true", help="for several hosts: start with `keys use`"
        )
        _recovery(rotate)
        use = commands.add_parser("use", help="use the keys that `rotate --add-only` added")
        _recovery(use)
        for each in (rotate, use):
            each.add_argument(
                "--wait",
                action="store_true",
                help="re-encrypt all readers now, not bit by bit",
            )
        retire = commands.add_parser("retire", help="remove a key that is no longer needed")
        retire.add_argument("purpose", choices=key_documents.PURPOSES)
        retire.add_argument("number", type=int)
        retire.add_argument("--break-old-links", action="store_true", help="required for tokens")
        _recovery(retire)
        recover = commands.add_parser("recover", help="restore the keys from a recovery copy")
        recover.add_argument("file", type=Path)
        _directory(recover)

    def handle(self, *args: Any, **options: Any) -> None:
        action: Callable[[dict[str, Any]], None] = getattr(self, f"_{options['action']}")
        try:
            action(options)
        except FileExistsError as error:
            raise CommandError(f"{error.filename} exists already. Nothing was changed.") from None
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from None
        except KeyFileError as error:
            raise CommandError(f"{error}. Nothing was changed.") from None

    def _new(self, options: dict[str, Any]) -> None:
        directory: Path = options["directory"] or settings.KEYS_DIR
        recovery = _recovery_path(options, directory)
        passphrase = _new_passphrase() if options["passphrase"] else ""
        web, worker = key_files.write_new(directory, recovery=recovery, passphrase=passphrase)
        if options["verbosity"] > 0:
            text = EXPLANATION + (COPY if recovery else NO_COPY)
            self.stdout.write(text.format(web=web, worker=worker, recovery=recovery), ending="")

    def _rotate(self, options: dict[str, Any]) -> None:
        pair = _pair()
        web, worker, added = key_documents.add_keys(
            pair.web, pair.worker, options["only"] or key_documents.PURPOSES
        )
        if not options["add_only"]:
            web, worker = key_documents.use_newest(web, worker)
        self._save(key_files.Pair(web, worker, pair.passphrase), options)
        self.stdout.write(", ".join(f"{purpose} {number}" for purpose, number in added.items()))
        if options["add_only"]:
            self.stdout.write(ADDED, ending="")
        else:
            self._reencrypt(options)

    def _use(self, options: dict[str, Any]) -> None:
        pair = _pair()
        web, worker = key_documents.use_newest(pair.web, pair.worker)
        self._save(key_files.Pair(web, worker, pair.passphrase), options)
        self._reencrypt(options)

    def _retire(self, options: dict[str, Any]) -> None:
        purpose, number = options["purpose"], options["number"]
        pair = _pair()
        web, worker = key_documents.remove_key(pair.web, pair.worker, purpose, number)
        if purpose == "tokens":
            if not options["break_old_links"]:
                raise CommandError(
                    "Links in emails that were sent with this key would stop working, including "
                    "unsubscribe links. To do it anyway: --break-old-links. Nothing was changed."
                )
        elif needed := rotation.rows_using_key(purpose, number):
            raise CommandError(f"{needed} rows still need this key. Nothing was changed.")
        self._save(key_files.Pair(web, worker, pair.passphrase), options, check=False)
        key_check.delete_mark(purpose, number)
        self.stdout.write(f"Retired {purpose} {number}.")

    def _recover(self, options: dict[str, Any]) -> None:
        directory: Path = options["directory"] or settings.KEYS_DIR
        for path in key_files.restore(options["file"], directory):
            self.stdout.write(f"Restored {path}")

    def _save(self, pair: key_files.Pair, options: dict[str, Any], *, check: bool = True) -> None:
        web, worker = _paths()
        recovery = _recovery_path(options, worker.parent)
        try:
            faults = key_check.check() if check else []
        except key_check.CannotCompareError:
            raise CommandError(
                "The database can't be reached, so the keys couldn't be compared with it. "
                "Nothing was changed."
            ) from None
        if faults:
            raise CommandError(f"The keys don't belong to this database. {faults[0]}.")
        key_files.replace(web, worker, pair, recovery=recovery)
        if check:
            key_check.check()  # stores the marks of the new keys

    def _reencrypt(self, options: dict[str, Any]) -> None:
        total = rotation.remaining()
        if not options["wait"]:
            if total:
                self.stdout.write(f"The workers re-encrypt {total} readers bit by bit.")
            return
        started = time.monotonic()
        done = 0
        while True:
            portion = rotation.rotate(5000)
            done += portion.done
            if not portion.done:
                break
            self.stdout.write(
                f"Re-encrypted {done} of {total} readers in {time.monotonic() - started:.0f} s"
            )
        if remaining := rotation.remaining():
            raise CommandError(f"{remaining} readers couldn't be re-encrypted. The log says why.")
        self.stdout.write("All readers are encrypted with the new keys.")


def _directory(parser: CommandParser) -> None:
    parser.add_argument(
        "directory", nargs="?", type=Path, metavar="DIR", help="default: VAR_DIR/keys"
    )


def _recovery(parser: CommandParser) -> None:
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "--recovery", type=Path, metavar="FILE", help="where to write a copy of all keys"
    )
    where.add_argument("--no-recovery", action="store_true", help="make no copy, for a trial")


def _recovery_path(options: dict[str, Any], directory: Path) -> Path | None:
    recovery: Path | None = options["recovery"]
    if recovery is not None and recovery.resolve().parent == directory.resolve():
        raise CommandError("A copy next to the keys would be lost with them. Choose another place.")
    return recovery


def _paths() -> tuple[Path, Path]:
    web, worker = settings.WEB_KEYS_PATH, settings.WORKER_KEYS_PATH
    if web is None or worker is None:
        raise CommandError(
            "This command needs both key files: set WEB_KEYS_FILE and WORKER_KEYS_FILE."
        )
    return web, worker


def _pair() -> key_files.Pair:
    return key_files.load_pair(*_paths(), passphrase=settings.WORKER_KEYS_PASSPHRASE)


def _new_passphrase() -> str:
    if settings.WORKER_KEYS_PASSPHRASE:
        return str(settings.WORKER_KEYS_PASSPHRASE)
    if not sys.stdin.isatty():
        raise CommandError("No terminal to ask for a passphrase: set WORKER_KEYS_PASSPHRASE.")
    passphrase = getpass.getpass("Passphrase for worker.json: ")
    if getpass.getpass("Repeat the passphrase: ") != passphrase:
        raise CommandError("The passphrases differ. Nothing was created.")
    return passphrase
