"""`manage.py keys …`: the project's two sets of keys, made, rotated, retired, recovered."""

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

WHAT_FOR = """\
{web}
    for every process: it signs links and seals addresses that arrive (WEB_KEYS_FILE).
{worker}
    for workers and the operator only: it opens the list of readers (WORKER_KEYS_FILE).
"""
NO_COPY = """\
    Without it nobody can read the list again, and there is no copy: you said --no-recovery.
"""
COPY = """\
{recovery}
    both again. Take it away from this machine, and do not keep it with the database's backup:
    manage.py keys recover FILE puts them back.
"""
ADDED = """\
New keys were added, and are not in use yet. Copy worker.json to each host that has one, then
web.json to the web hosts, then to the workers'. Then, here: manage.py keys use
"""


class Command(BaseCommand):
    help = "Makes, rotates, retires and recovers the keys of this installation."
    # For `new` there are none yet, which is what newsletter.E001 reports; the others check.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="action", required=True)
        new = commands.add_parser("new", help="make web.json and worker.json")
        _directory(new)
        _recovery(new)
        new.add_argument(
            "--passphrase",
            action="store_true",
            help="lock worker.json with WORKER_KEYS_PASSPHRASE, or with one that is asked for",
        )
        rotate = commands.add_parser("rotate", help="begin to use new keys")
        rotate.add_argument("--only", choices=key_documents.PURPOSES, action="append")
        rotate.add_argument(
            "--add-only", action="store_true", help="for several hosts: `keys use` begins"
        )
        _recovery(rotate)
        use = commands.add_parser("use", help="begin to use keys that `rotate --add-only` added")
        _recovery(use)
        for each in (rotate, use):
            each.add_argument(
                "--wait",
                action="store_true",
                help="write all readers anew now, not minute by minute",
            )
        retire = commands.add_parser("retire", help="remove a key that nothing needs any more")
        retire.add_argument("purpose", choices=key_documents.PURPOSES)
        retire.add_argument("number", type=int)
        retire.add_argument("--break-old-links", action="store_true", help="for tokens")
        _recovery(retire)
        recover = commands.add_parser("recover", help="put the keys of a recovery copy back")
        recover.add_argument("file", type=Path)
        _directory(recover)

    def handle(self, *args: Any, **options: Any) -> None:
        action: Callable[[dict[str, Any]], None] = getattr(self, f"_{options['action']}")
        try:
            action(options)
        except FileExistsError as error:
            raise CommandError(f"{error.filename} is there already; nothing was changed.") from None
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from None
        except KeyFileError as error:
            raise CommandError(f"{error}; nothing was changed.") from None

    def _new(self, options: dict[str, Any]) -> None:
        directory: Path = options["directory"] or settings.KEYS_DIR
        recovery = _place_of_copy(options, directory)
        passphrase = _new_passphrase() if options["passphrase"] else ""
        web, worker = key_files.write_new(directory, recovery=recovery, passphrase=passphrase)
        if options["verbosity"] > 0:
            text = WHAT_FOR + (COPY if recovery else NO_COPY)
            self.stdout.write(
                text.format(web=web, worker=worker, recovery=recovery), ending=""
            )

    def _rotate(self, options: dict[str, Any]) -> None:
        pair = _pair()
        web, worker, added = key_documents.add_keys(
            pair.web, pair.worker, options["only"] or key_documents.PURPOSES
        )
        if not options["add_only"]:
            web, worker = key_documents.use_newest(web, worker)
        self._put(key_files.Pair(web, worker, pair.passphrase), options)
        self.stdout.write(", ".join(f"{purpose} {number}" for purpose, number in added.items()))
        if options["add_only"]:
            self.stdout.write(ADDED, ending="")
        else:
            self._write_anew(options)

    def _use(self, options: dict[str, Any]) -> None:
        pair = _pair()
        web, worker = key_documents.use_newest(pair.web, pair.worker)
        self._put(key_files.Pair(web, worker, pair.passphrase), options)
        self._write_anew(options)

    def _retire(self, options: dict[str, Any]) -> None:
        purpose, number = options["purpose"], options["number"]
        pair = _pair()
        web, worker = key_documents.remove_key(pair.web, pair.worker, purpose, number)
        if purpose == "tokens":
            if not options["break_old_links"]:
                raise CommandError(
                    "Links in mails that were sent with this key would end, unsubscribing too. "
                    "If you mean it: --break-old-links. Nothing was changed."
                )
        elif needed := rotation.carrying(purpose, number):
            raise CommandError(f"{needed} rows still need it; nothing was changed.")
        self._put(key_files.Pair(web, worker, pair.passphrase), options, check=False)
        key_check.delete_mark(purpose, number)
        self.stdout.write(f"Retired: {purpose} {number}.")

    def _recover(self, options: dict[str, Any]) -> None:
        directory: Path = options["directory"] or settings.KEYS_DIR
        for path in key_files.restore(options["file"], directory):
            self.stdout.write(f"Written: {path}")

    def _put(self, pair: key_files.Pair, options: dict[str, Any], *, check: bool = True) -> None:
        web, worker = _paths()
        recovery = _place_of_copy(options, worker.parent)
        try:
            faults = key_check.check() if check else []
        except key_check.CannotCompareError:
            raise CommandError(
                "The database cannot be reached, so the keys could not be compared with it; "
                "nothing was changed."
            ) from None
        if faults:
            raise CommandError(f"The keys do not fit the database. {faults[0]}.")
        key_files.replace(web, worker, pair, recovery=recovery)
        if check:
            key_check.check()  # new keys leave their mark

    def _write_anew(self, options: dict[str, Any]) -> None:
        total = rotation.left()
        if not options["wait"]:
            if total:
                self.stdout.write(f"{total} readers are written anew by the workers, bit by bit.")
            return
        began = time.monotonic()
        done = 0
        while True:
            portion = rotation.step(5000)
            done += portion.done
            if not portion.done:
                break
            self.stdout.write(f"{done} of {total} readers, {time.monotonic() - began:.0f} s")
        if remaining := rotation.left():
            raise CommandError(f"{remaining} readers could not be written anew; see the log.")
        self.stdout.write("All readers are under the new keys.")


def _directory(parser: CommandParser) -> None:
    parser.add_argument(
        "directory", nargs="?", type=Path, metavar="DIR", help="default: VAR_DIR/keys"
    )


def _recovery(parser: CommandParser) -> None:
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--recovery", type=Path, metavar="FILE", help="where a copy of all goes")
    where.add_argument("--no-recovery", action="store_true", help="make no copy: a trial")


def _place_of_copy(options: dict[str, Any], directory: Path) -> Path | None:
    recovery: Path | None = options["recovery"]
    if recovery is not None and recovery.resolve().parent == directory.resolve():
        raise CommandError("A copy beside the keys is lost with them: choose another place.")
    return recovery


def _paths() -> tuple[Path, Path]:
    web, worker = settings.WEB_KEYS_PATH, settings.WORKER_KEYS_PATH
    if web is None or worker is None:
        raise CommandError(
            "This needs both documents as files: set WEB_KEYS_FILE and WORKER_KEYS_FILE."
        )
    return web, worker


def _pair() -> key_files.Pair:
    return key_files.load_pair(*_paths(), passphrase=settings.WORKER_KEYS_PASSPHRASE)


def _new_passphrase() -> str:
    if settings.WORKER_KEYS_PASSPHRASE:
        return str(settings.WORKER_KEYS_PASSPHRASE)
    if not sys.stdin.isatty():
        raise CommandError("There is nobody to ask: set WORKER_KEYS_PASSPHRASE.")
    passphrase = getpass.getpass("Passphrase for worker.json: ")
    if getpass.getpass("Again: ") != passphrase:
        raise CommandError("They differ; nothing was made.")
    return passphrase
