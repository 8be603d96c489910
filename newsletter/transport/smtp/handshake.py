"""From the greeting until a relay takes mail: EHLO, STARTTLS, AUTH. Pure: replies in, bytes out."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass

from newsletter.transport.decisions import enhanced_status
from newsletter.transport.outcomes import TransportDownError
from newsletter.transport.smtp.url import Relay


@dataclass(frozen=True)
class Extensions:
    """What a relay offers. `size` is the largest message in octets, 0 where it does not say."""

    pipelining: bool = False
    chunking: bool = False
    starttls: bool = False
    declares_size: bool = False
    size: int = 0
    mechanisms: frozenset[str] = frozenset()


def parse_ehlo(text: bytes) -> Extensions:
    """EHLO's answer (RFC 5321, 4.1.1.1). Keywords in any case; the first line is a name."""
    found: dict[str, list[str]] = {}
    for line in text.decode("ascii", "replace").upper().split("\n")[1:]:
        # "AUTH=LOGIN" is how an old Exchange writes it.
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


def reply_summary(code: int, text: bytes) -> str:
    """What may be told of a reply: its code and enhanced status, nothing of its text (G1)."""
    return f"{code} {enhanced_status(text)}".rstrip()


class Handshake:
    """One connection until it is ready.

    After each call `wants_tls` says whether TLS is to begin now (then `encrypted` is the next
    call), and `is_ready` whether mail can be handed over.
    """

    def __init__(self, relay: Relay) -> None:
        self.features = Extensions()
        self.is_ready = False
        self.wants_tls = False
        self._relay = relay
        self._encrypted = relay.tls == "implicit"
        self._next: Callable[[int, bytes], bytes] = self._on_greeting

    def reply(self, code: int, text: bytes) -> bytes:
        """What to say next, or b"". Raises TransportDown."""
        return self._next(code, text)

    def encrypted(self) -> bytes:
        """TLS is up: all that was offered without it is forgotten (RFC 3207, 4.2)."""
        self.wants_tls, self._encrypted = False, True
        return self._hello()

    def _on_greeting(self, code: int, text: bytes) -> bytes:
        self._demand("greeting", code, text)
        return self._hello()

    def _hello(self) -> bytes:
        self.features = Extensions()
        self._next = self._on_ehlo
        return f"EHLO {self._relay.helo}\r\n".encode()

    def _on_ehlo(self, code: int, text: bytes) -> bytes:
        self._demand("EHLO", code, text)
        self.features = parse_ehlo(text)
        if not self._encrypted and self._relay.tls in {"demand", "offer"}:
            if self.features.starttls:
                self._next = self._on_starttls
                return b"STARTTLS\r\n"
            if self._relay.tls == "demand":
                raise self._down("it offers no STARTTLS, which is demanded")
        return self._sign_in() if self._relay.user else self._done()

    def _on_starttls(self, code: int, text: bytes) -> bytes:
        self._demand("STARTTLS", code, text)
        self.wants_tls = True
        return b""

    def _sign_in(self) -> bytes:
        plain = f"\0{self._relay.user}\0{self._relay.password}"
        if "PLAIN" in self.features.mechanisms:  # RFC 4616
            self._next = self._on_plain
            return b"AUTH PLAIN " + _base64(plain)
        if "LOGIN" in self.features.mechanisms:
            self._next = self._on_login
            return b"AUTH LOGIN\r\n"
        raise self._down("it offers no way to sign in that is known here (PLAIN, LOGIN)")

    def _on_plain(self, code: int, text: bytes) -> bytes:
        if code == 334:  # it did not want the initial response
            self._next = self._on_signed_in
            return _base64(f"\0{self._relay.user}\0{self._relay.password}")
        return self._on_signed_in(code, text)

    def _on_login(self, code: int, text: bytes) -> bytes:
        if code != 334:
            return self._on_signed_in(code, text)
        self._next = self._on_login_name
        return _base64(self._relay.user)

    def _on_login_name(self, code: int, text: bytes) -> bytes:
        if code != 334:
            return self._on_signed_in(code, text)
        self._next = self._on_signed_in
        return _base64(self._relay.password)

    def _on_signed_in(self, code: int, text: bytes) -> bytes:
        if not 200 <= code < 300:
            reason = "it refused the credentials" if code >= 500 else "it did not sign us in"
            raise self._down(f"{reason}: {reply_summary(code, text)}", code=code)
        return self._done()

    def _done(self) -> bytes:
        self.is_ready = True
        return b""

    def _demand(self, step: str, code: int, text: bytes) -> None:
        if not 200 <= code < 300:
            raise self._down(f"{step}: {reply_summary(code, text)}", code=code)

    def _down(self, reason: str, *, code: int | None = None) -> TransportDownError:
        return TransportDownError(f"{self._relay.name}: {reason}", code=code)


def _base64(text: str) -> bytes:
    return b64encode(text.encode()) + b"\r\n"
