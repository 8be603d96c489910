"""The AUTH dialogue: PLAIN, LOGIN or XOAUTH2. Replies in, commands out.

An attempt with wrong credentials counts towards a lock-out at many relays. So LOGIN is tried after
PLAIN only if the refusal was about the mechanism, and what one connection has learned spares the
others the attempt:

* 504: the mechanism isn't supported (RFC 4954, 4);
* 534, unless it asks for an app password or a sign-in in the browser, as Gmail does: the mechanism
  is too weak for this account (RFC 4954, 6);
* 535 only if its text names the mechanism: it is the code for wrong credentials.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Generator, Set

from newsletter.transport.outcomes import TransportDownError
from newsletter.transport.smtp.oauth import TokenSource
from newsletter.transport.smtp.refusals import authentication_refusal
from newsletter.transport.smtp.url import Relay

Reply = tuple[int, bytes]
Dialogue = Generator[bytes, Reply, None]
"""Yields commands, is sent their replies, and ends when the relay has accepted the credentials."""
_Attempt = Generator[bytes, Reply, Reply]

_MECHANISM = re.compile(
    rb"mechanism|auth(?:entication)? (?:type|method)|(?:unsupported|not supported|unrecognized)",
    re.IGNORECASE,
)
_ACCOUNT = re.compile(rb"password|browser|log ?in", re.IGNORECASE)


def mechanism_was_refused(code: int, text: bytes) -> bool:
    """Return whether a refusal of AUTH is about the mechanism, not the credentials."""
    if code == 534:
        return not _ACCOUNT.search(text)
    return code == 504 or (code == 535 and bool(_MECHANISM.search(text)))


class Authenticator:
    """Signs in to one relay. All connections of a process share it. Not thread-safe."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._plain_works = True
        self._tokens = TokenSource(relay.oauth, relay.redacted_url) if relay.oauth else None

    def dialogue(self, mechanisms: Set[str]) -> Dialogue:
        """Return the dialogue with a relay that offers these. Raises TransportDownError."""
        if self._tokens is not None:
            self._require("XOAUTH2" in mechanisms, "XOAUTH2")
            code, text = yield from self._with_token(self._tokens)
        else:
            self._require("PLAIN" in mechanisms or "LOGIN" in mechanisms, "PLAIN, LOGIN")
            code, text = yield from self._with_password(mechanisms)
        if not 200 <= code < 300:
            raise authentication_refusal(self._relay, code, text)

    def _require(self, offered: bool, names: str) -> None:  # noqa: FBT001
        if not offered:
            raise TransportDownError(
                f"{self._relay.redacted_url}: the relay offers no supported authentication "
                f"mechanism ({names})"
            )

    def _with_password(self, mechanisms: Set[str]) -> _Attempt:
        can_login = "LOGIN" in mechanisms
        if "PLAIN" not in mechanisms or (can_login and not self._plain_works):
            return (yield from self._login())
        code, text = yield from self._plain()
        if can_login and mechanism_was_refused(code, text):
            self._plain_works = False
            code, text = yield from self._login()
        return code, text

    def _plain(self) -> _Attempt:  # RFC 4616
        response = _base64(f"\0{self._relay.user}\0{self._relay.password}")
        code, text = yield b"AUTH PLAIN " + response
        if code == 334:  # the relay ignored the initial response
            code, text = yield response
        return code, text

    def _login(self) -> _Attempt:
        code, text = yield b"AUTH LOGIN\r\n"
        for answer in (self._relay.user, self._relay.password):
            if code != 334:
                break
            code, text = yield _base64(answer)
        return code, text

    def _with_token(self, tokens: TokenSource) -> _Attempt:
        token = tokens.token()
        code, text = yield from self._xoauth2(token)
        if code == 535:  # the token may have been revoked before its time
            code, text = yield from self._xoauth2(tokens.renew(token))
        return code, text

    def _xoauth2(self, token: str) -> _Attempt:
        response = _base64(f"user={self._relay.user}\x01auth=Bearer {token}\x01\x01")
        code, text = yield b"AUTH XOAUTH2 " + response
        if code == 334:  # an error as JSON; the reply with its code follows an empty line
            code, text = yield b"\r\n"
        return code, text


def _base64(text: str) -> bytes:
    return b64encode(text.encode()) + b"\r\n"
