"""The local mailbox as files: one .eml file for each message, and an index with a line for each.

Names begin with the time, so that they sort by it. A message is complete before its index line is
added. If a crash loses the line, the receiver adds it again when it starts.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

MESSAGE_NAME = re.compile(r"^\d{20}-[0-9a-f]{8}$")


@dataclass(frozen=True)
class StoredMessage:
    """A message as the inbox lists it."""

    name: str
    to: tuple[str, ...]
    """The envelope's recipients, which may differ from the header."""
    subject: str
    language: str
    """Content-Language, or ""."""

    @property
    def at(self) -> datetime:
        """Return the time of arrival."""
        return datetime.fromtimestamp(int(self.name[:20]) / 1e9, tz=UTC)


class Mailbox:
    """A folder of messages. Only the receiver writes to it; any process may read."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @property
    def _index(self) -> Path:
        return self.directory / "index.jsonl"

    def add(self, content: bytes, to: tuple[str, ...]) -> StoredMessage:
        """Store a message, completely or not at all."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
        envelope = "".join(f"X-Envelope-To: {address}\r\n" for address in to)
        unfinished = self.directory / f"{name}.new"
        unfinished.write_bytes(envelope.encode() + content)
        unfinished.replace(self._path(name))
        entry = _entry(name, self._path(name).read_bytes())
        self._append([entry])
        return entry

    def entries(self, recipient: str = "") -> list[StoredMessage]:
        """Return the messages, newest first. `recipient` selects by a part of the address."""
        needle = recipient.strip().lower()
        found = [
            entry
            for entry in self._lines()
            if not needle or any(needle in address.lower() for address in entry.to)
        ]
        return sorted(found, key=lambda entry: entry.name, reverse=True)

    def source(self, name: str) -> bytes | None:
        """Return a message byte for byte as it arrived, or None."""
        if not MESSAGE_NAME.match(name):
            return None
        try:
            content = self._path(name).read_bytes()
        except FileNotFoundError:
            return None
        while content.startswith(b"X-Envelope-To: "):
            content = content.partition(b"\r\n")[2]
        return content

    def rebuild_index(self) -> int:
        """Add lines that the index lacks, and return their number."""
        if not self.directory.is_dir():
            return 0
        known = {entry.name for entry in self._lines()}
        missing = [path for path in self.directory.glob("*.eml") if path.stem not in known]
        self._append([_entry(path.stem, path.read_bytes()) for path in missing])
        return len(missing)

    def clear(self) -> None:
        """Delete all messages."""
        for path in (self._index, *self.directory.glob("*.eml"), *self.directory.glob("*.new")):
            path.unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self.directory / f"{name}.eml"

    def _append(self, entries: list[StoredMessage]) -> None:
        if not entries:
            return
        lines = "".join(json.dumps(asdict(entry), ensure_ascii=False) + "\n" for entry in entries)
        with self._index.open("a", encoding="utf-8") as file:
            file.write(lines)

    def _lines(self) -> Iterator[StoredMessage]:
        try:
            text = self._index.read_text(encoding="utf-8")
        except FileNotFoundError:
            return
        for line in text.splitlines():
            try:
                fields = json.loads(line)
                yield StoredMessage(**{**fields, "to": tuple(fields["to"])})
            except (ValueError, TypeError, KeyError):
                continue  # cut off by a crash; `rebuild_index` adds it again


def parse(content: bytes) -> EmailMessage:
    """Parse a raw message."""
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)  # noqa: S101 - the policy creates these
    return message


def _entry(name: str, content: bytes) -> StoredMessage:
    message = parse(content)
    return StoredMessage(
        name=name,
        to=tuple(str(address) for address in message.get_all("X-Envelope-To", [])),
        subject=str(message.get("Subject", "")),
        language=str(message.get("Content-Language", "")).strip(),
    )
