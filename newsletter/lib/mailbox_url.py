"""Parses the URL of the mailbox in which bounces arrive (BOUNCE_MAILBOX)."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

_PORTS = {"imaps": 993, "imap": 143}
PROCESSED = "Tydzen processed"


@dataclass(frozen=True)
class MailboxURL:
    """An IMAP folder, or a Maildir at `path`. `processed` is the folder for email that was read."""

    scheme: str
    host: str = ""
    port: int = 0
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    folder: str = "INBOX"
    path: Path = Path()
    processed: str = PROCESSED

    @property
    def redacted(self) -> str:
        """The URL without user and password."""
        if self.scheme == "maildir":
            return f"maildir://{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}/{self.folder}"

    @property
    def is_loopback(self) -> bool:
        """Whether the server is this machine, so that traffic to it stays off the network."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def parse_mailbox(text: str) -> MailboxURL | None:
    """Parse a URL; "" gives None. Raises ValueError, which never repeats the URL."""
    if not text:
        return None
    try:
        parts = urlsplit(text)
        port = parts.port
        options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    except ValueError:
        raise ValueError("malformed; percent-encode special characters in the password") from None
    processed = options.pop("processed", PROCESSED)
    if options or not processed:
        raise ValueError("the only option is processed=FOLDER")
    if parts.scheme == "maildir":
        if parts.netloc or parts.path in {"", "/"}:
            raise ValueError("a Maildir is given as maildir:///path")
        return MailboxURL("maildir", path=Path(unquote(parts.path)), processed=processed)
    if parts.scheme not in _PORTS:
        raise ValueError("must be imaps://user:password@host/INBOX or maildir:///path")
    if not (parts.hostname and parts.username and parts.password):
        raise ValueError("user, password or host is missing: imaps://user:password@host/INBOX")
    return MailboxURL(
        parts.scheme,
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        user=unquote(parts.username),
        password=unquote(parts.password),
        folder=unquote(parts.path.strip("/")) or "INBOX",
        processed=processed,
    )
