"""The start of an SMTP session: greeting, EHLO, STARTTLS, AUTH. Replies in, bytes out.

It is pure but for one thing: with XOAUTH2, it may fetch an access token before AUTH.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from newsletter.transport.decisions import Step
from newsletter.transport.outcomes import TransportDownError
from newsletter.transport.smtp.authentication import Authenticator, Dialogue
from newsletter.transport.smtp.refusals import handshake_refusal
from newsletter.transport.smtp.url import Relay


@dataclass(frozen=True)
class Extensions:
    """A relay's SMTP extensions. `size` is the largest message in octets, or 0 for no limit."""

    pipelining: bool = False
    chunking: bool = False
    starttls: bool = False
    declares_size: bool = False
    size: int = 0
    mechanisms: frozenset[str] = frozenset()


def parse_ehlo(text: bytes) -> Extensions:
    """Parse the reply to EHLO (RFC 5321, 4.1.1.1).

    Keywords are case-insensitive; the first line is the relay's name.
    """
    found: dict[str, list[str]] = {}
    for line in text.decode("ascii", "replace").upper().split("\n")[1:]:
        # Old versions of Exchange write "AUTH=LOGIN".
        words = line.replace("=", " ", 1).split()
        if words:
            found.setdefault(words[0], []).extend(words[1:])
    size = "".join(found.get("SIZE", [])[:1])
    return Extensions(
        pipelining="PIPELINING" in found,
        chunking="CHUNKING" in found,
        starttls="STARTTLS" in found,
        declares_size="SIZE" in found,
        size=int(size) if size.isascii() and size.isdecimal() and len(size) < 20 else 0,
        mechanisms=frozenset(found.get("AUTH", [])),
    )


class Handshake:
    """The handshake of one connection.

    After each call, `wants_tls` says whether to start TLS now and then call `tls_established`,
    and `is_ready` whether messages can be handed over.
    """

    def __init__(self, relay: Relay, authenticator: Authenticator | None = None) -> None:
        self.extensions = Extensions()
        self.is_ready = False
        self.wants_tls = False
        self._relay = relay
        self._authenticator = authenticator or Authenticator(relay)
        self._dialogue: Dialogue
        self._encrypted = relay.tls == "implicit"
        self._next: Callable[[int, bytes], bytes] = self._on_greeting

    def handle_reply(self, code: int, text: bytes) -> bytes:
        """Return the next command, or b"". Raises TransportDownError."""
        return self._next(code, text)

    def tls_established(self) -> bytes:
        """Start again with EHLO: extensions offered without TLS no longer count (RFC 3207, 4.2)."""
        self.wants_tls, self._encrypted = False, True
        return self._ehlo()

    def _on_greeting(self, code: int, text: bytes) -> bytes:
        self._require_success("greeting", code, text)
        return self._ehlo()

    def _ehlo(self) -> bytes:
        self.extensions = Extensions()
        self._next = self._on_ehlo
        return f"EHLO {self._relay.helo}\r\n".encode()

    def _on_ehlo(self, code: int, text: bytes) -> bytes:
        self._require_success("ehlo", code, text)
        self.extensions = parse_ehlo(text)
        if not self._encrypted and self._relay.tls in {"demand", "offer"}:
            if self.extensions.starttls:
                self._next = self._on_starttls
                return b"STARTTLS\r\n"
            if self._relay.tls == "demand":
                raise TransportDownError(
                    f"{self._relay.redacted_url}: the relay offers no STARTTLS, which is required"
                )
        return self._authenticate() if self._relay.user else self._finish()

    def _on_starttls(self, code: int, text: bytes) -> bytes:
        self._require_success("starttls", code, text)
        self.wants_tls = True
        return b""

    def _authenticate(self) -> bytes:
        self._dialogue = self._authenticator.dialogue(self.extensions.mechanisms)
        self._next = self._on_authentication
        return next(self._dialogue)

    def _on_authentication(self, code: int, text: bytes) -> bytes:
        try:
            return self._dialogue.send((code, text))
        except StopIteration:
            return self._finish()

    def _finish(self) -> bytes:
        self.is_ready = True
        return b""

    def _require_success(self, step: Step, code: int, text: bytes) -> None:
        if not 200 <= code < 300:
            raise handshake_refusal(self._relay, step, code, text)
