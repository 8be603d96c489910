"""The mailboxes in which email for us arrives: an IMAP folder, or a Maildir.

A mailbox may also hold email that isn't for us. Reading changes nothing there, so that email is
left untouched: it isn't even marked as read.
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from imaplib import IMAP4
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, Protocol

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from imap_tools import BaseMailBox, MailBox, MailboxLoginError, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError

from newsletter.delivery.feedback.mail.incoming import HEAD_BYTES
from newsletter.lib.mailbox_url import MailboxURL

MAX_BYTES = 25_000_000
"""A larger email isn't read."""
GROUP = 20
"""How many emails are fetched with one command."""
TIMEOUT_SECONDS = 30
_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")


class Problem(TextChoices):
    """Why a mailbox can't be used now. It names no address and quotes no server."""

    UNREACHABLE = "unreachable", _("The bounce mailbox cannot be reached.")
    NO_ANSWER = "no-answer", _("The server of the bounce mailbox does not answer.")
    BAD_CERTIFICATE = "bad-certificate", _("The bounce mailbox’s certificate is not valid.")
    LOGIN_REFUSED = "login-refused", _("The bounce mailbox refused the user or the password.")
    NO_FOLDER = "no-folder", _("The folder of the bounce mailbox cannot be opened.")
    UNREADABLE = "unreadable", _("The emails in the bounce mailbox cannot be read.")
    CANNOT_MOVE = "cannot-move", _("Emails in the bounce mailbox cannot be moved.")
    """To the folder for email that was read."""


class MailboxError(Exception):
    """The mailbox can't be used now."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.value)
        self.problem = problem


class StoredEmail(NamedTuple):
    """An email in a mailbox: its ID there, and its first bytes, or None if it is too large."""

    key: str
    raw: bytes | None


class Mailbox(Protocol):
    """A mailbox that is open. All methods raise MailboxError."""

    @property
    def generation(self) -> str:
        """Changes when earlier keys become invalid."""

    def keys(self) -> list[str]:
        """Return the keys of all emails in it, the oldest first."""

    def read(self, keys: Sequence[str]) -> Iterator[StoredEmail]:
        """Yield these emails; one that is gone is left out."""

    def put_away(self, keys: Sequence[str]) -> None:
        """Move emails that were read to the folder for them; one that is gone is left out."""

    def close(self) -> None:
        """Close the connection, if there is one."""


def open_mailbox(url: MailboxURL) -> Mailbox:
    """Open a mailbox. Raises MailboxError."""
    return Maildir(url) if url.scheme == "maildir" else ImapFolder(url)


# --- IMAP -------------------------------------------------------------------------------------
class ImapFolder:
    """A folder on an IMAP server."""

    def __init__(self, url: MailboxURL) -> None:
        self._url = url
        with _imap_errors(Problem.UNREACHABLE):
            self._box = _connect(url)
        try:
            with _imap_errors(Problem.NO_FOLDER):
                self._log_in()
                self._box.folder.set(url.folder)
                self.generation = self._uid_validity()
        except MailboxError:
            self.close()
            raise

    def keys(self) -> list[str]:
        with _imap_errors(Problem.UNREADABLE):
            return self._box.uids("ALL", charset=None)

    def read(self, keys: Sequence[str]) -> Iterator[StoredEmail]:
        for start in range(0, len(keys), GROUP):
            group = keys[start : start + GROUP]
            with _imap_errors(Problem.UNREADABLE):
                sizes = self._fetch(group, "(UID RFC822.SIZE)")
                small = [uid for uid in group if uid in sizes and _size(sizes[uid]) <= MAX_BYTES]
                found = self._fetch(small, f"(UID BODY.PEEK[]<0.{HEAD_BYTES}>)") if small else {}
            for uid in group:
                if uid in found:
                    yield StoredEmail(uid, found[uid][1])
                elif uid in sizes and uid not in small:
                    yield StoredEmail(uid, None)

    def put_away(self, keys: Sequence[str]) -> None:
        if not keys:
            return
        with _imap_errors(Problem.CANNOT_MOVE):
            if not self._box.folder.exists(self._url.processed):
                self._box.folder.create(self._url.processed)
            self._box.move(keys, self._url.processed)

    def close(self) -> None:
        with suppress(IMAP4.error, ImapToolsError, OSError):
            self._box.logout()

    def _log_in(self) -> None:
        user, password = self._url.user, self._url.password
        try:
            if (user + password).isascii():
                self._box.login(user, password, initial_folder=None)
            else:
                self._box.login_utf8(user, password, initial_folder=None)
        except (IMAP4.abort, OSError):
            raise
        except (MailboxLoginError, IMAP4.error):
            raise MailboxError(Problem.LOGIN_REFUSED) from None

    def _uid_validity(self) -> str:
        _kind, data = self._box.client.response("UIDVALIDITY")
        return (data[0] or b"").decode("ascii", "replace") if data else ""

    def _fetch(self, uids: Sequence[str], parts: str) -> dict[str, tuple[bytes, bytes]]:
        """Return the server's line and its literal, if any, by UID."""
        status, data = self._box.client.uid("FETCH", ",".join(uids), parts)
        if status != "OK":
            raise MailboxError(Problem.UNREADABLE)
        found = {}
        for before, item in pairwise([b"", *data]):
            if isinstance(item, tuple):
                continue
            # What follows a literal belongs to it; a server may name the UID only there.
            line, literal = before if isinstance(before, tuple) else (b"", b"")
            line += item or b""
            match = _UID.search(line)
            if match:
                found[match[1].decode()] = (line, literal)
        return found


def _connect(url: MailboxURL) -> BaseMailBox:
    # Without a context, imaplib doesn't verify the certificate.
    context = ssl.create_default_context()
    if url.scheme == "imaps":
        return MailBox(url.host, url.port, timeout=TIMEOUT_SECONDS, ssl_context=context)
    if url.is_loopback:
        return MailBoxUnencrypted(url.host, url.port, timeout=TIMEOUT_SECONDS)
    return MailBoxStartTls(url.host, url.port, timeout=TIMEOUT_SECONDS, ssl_context=context)


def _size(found: tuple[bytes, bytes]) -> int:
    match = _SIZE.search(found[0])
    return int(match[1]) if match else MAX_BYTES + 1


@contextmanager
def _imap_errors(problem: Problem) -> Iterator[None]:
    """Raise MailboxError for any error of IMAP, without what the server said."""
    try:
        yield
    except ssl.SSLCertVerificationError:
        raise MailboxError(Problem.BAD_CERTIFICATE) from None
    except TimeoutError:
        raise MailboxError(Problem.NO_ANSWER) from None
    except (IMAP4.error, ImapToolsError, OSError, ValueError):
        raise MailboxError(problem) from None


# --- Maildir ----------------------------------------------------------------------------------
class Maildir:
    """A Maildir on this machine, as Postfix, Exim and Dovecot deliver to it.

    Its key is the unique part of a file's name, which stays when an email program sets flags.
    """

    generation = ""

    def __init__(self, url: MailboxURL) -> None:
        self._path = url.path
        # A folder of a Maildir is a folder with a dot and a marker (Maildir++).
        self._processed = url.path / f".{url.processed.removeprefix('.')}"
        self._files = self._list()

    def keys(self) -> list[str]:
        return sorted(self._files)

    def read(self, keys: Sequence[str]) -> Iterator[StoredEmail]:
        for key in keys:
            try:
                with self._files[key].open("rb") as file:
                    is_small = os.fstat(file.fileno()).st_size <= MAX_BYTES
                    raw = file.read(HEAD_BYTES) if is_small else None
            except (FileNotFoundError, KeyError):
                # An email program moved it just now; it's found again the next time.
                continue
            except OSError:
                raise MailboxError(Problem.UNREADABLE) from None
            yield StoredEmail(key, raw)

    def put_away(self, keys: Sequence[str]) -> None:
        try:
            for name in ("new", "cur", "tmp"):
                (self._processed / name).mkdir(parents=True, exist_ok=True, mode=0o700)
            (self._processed / "maildirfolder").touch()
            for key in keys:
                with suppress(FileNotFoundError, KeyError):
                    self._files[key].rename(self._processed / "cur" / f"{key}:2,S")
        except OSError:
            raise MailboxError(Problem.CANNOT_MOVE) from None

    def close(self) -> None:
        pass

    def _list(self) -> dict[str, Path]:
        try:
            return {
                path.name.partition(":")[0]: path
                for name in ("new", "cur")
                for path in (self._path / name).iterdir()
                if not path.name.startswith(".")
            }
        except OSError:
            raise MailboxError(Problem.NO_FOLDER) from None
