"""`smtp://` and `smtps://` URLs read into a Relay."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

from newsletter.transport import dkim
from newsletter.transport.addresses import to_ace
from newsletter.transport.base import TransportURLError
from newsletter.transport.dkim import Signer
from newsletter.transport.url import TransportURL, is_loopback

TlsMode = Literal["implicit", "demand", "offer", "never"]
_KNOWN_OPTIONS = frozenset(
    {
        *("connections", "window", "starttls", "timeout", "helo", "ca"),
        *("dkim_selector", "dkim_key_file", "return_path"),
    }
)


@dataclass(frozen=True)
class Relay:
    """Where mail is handed over, and how.

    `tls`: "implicit" from the first byte; "demand" STARTTLS with a checked certificate; "offer"
    takes STARTTLS where there is one, unchecked (RFC 7435); "never". `timeout` is in seconds,
    for one reply. `ca` is a file of certificates to trust instead of the system's. `connections`
    are opened at most, and on each at most `window` messages are ahead of the relay's replies.
    `signer` signs each message. `return_path` is a domain whose bounces come to us: envelopes are
    from `bounce+DELIVERY_ID@` it (VERP), else from the edition's own sender.
    """

    host: str
    port: int
    tls: TlsMode
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    connections: int = 8
    window: int = 4
    timeout: int = 60
    helo: str = ""
    ca: str = ""
    return_path: str = ""
    signer: Signer | None = None

    @property
    def name(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'smtps' if self.tls == 'implicit' else 'smtp'}://{host}:{self.port}"


def parse_relay(url: TransportURL) -> Relay:
    """Raises TransportURLError."""
    url.only(_KNOWN_OPTIONS)
    if not url.host:
        raise TransportURLError(f"{url.scheme}: no host; smtp://user:password@host:port")
    if url.path not in {"", "/"}:
        raise TransportURLError(f"{url.scheme}: nothing can follow the port but ?options")
    if not (url.user + url.password).isascii() or bool(url.user) != bool(url.password):
        raise TransportURLError(f"{url.scheme}: user and password belong together, in ASCII")
    tls = _tls_mode(url)
    return Relay(
        host=url.host,
        port=url.port or {"implicit": 465, "demand": 587}.get(tls, 25),
        tls=tls,
        user=url.user,
        password=url.password,
        connections=url.number("connections", default=8, least=1, most=500),
        window=url.number("window", default=4, least=1, most=100),
        timeout=url.number("timeout", default=60, least=1, most=600),
        helo=url.options.get("helo", "") or _default_helo(),
        ca=_ca_file(url.options),
        return_path=_return_path(url.options),
        signer=_signer(url.options),
    )


def _tls_mode(url: TransportURL) -> TlsMode:
    """Beyond this machine TLS is demanded unless the URL says otherwise, and credentials are
    never sent without: with "offer", whoever sits between could take the offer away."""
    asked = url.options.get("starttls", "")
    if url.scheme == "smtps":
        if asked:
            raise TransportURLError("smtps: TLS from the first byte; starttls is for smtp")
        return "implicit"
    near = is_loopback(url.host)
    tls = asked or ("never" if near else "demand")
    if tls not in {"demand", "offer", "never"}:
        raise TransportURLError("smtp: starttls is one of demand, offer, never")
    if url.user and not near and tls != "demand":
        raise TransportURLError("smtp: a password needs starttls=demand, or smtps")
    return cast(TlsMode, tls)


def _ca_file(options: Mapping[str, str]) -> str:
    path = options.get("ca", "")
    if path and not Path(path).is_file():
        raise TransportURLError("smtp: ca names no file")
    return path


def _signer(options: Mapping[str, str]) -> Signer | None:
    selector, path = options.get("dkim_selector", ""), options.get("dkim_key_file", "")
    if not selector and not path:
        return None
    if not selector or not path:
        raise TransportURLError("smtp: dkim_selector and dkim_key_file belong together")
    try:
        return dkim.load_signer(selector, Path(path))
    except ValueError as error:
        raise TransportURLError(f"smtp: DKIM: {error}") from None


def _return_path(options: Mapping[str, str]) -> str:
    domain = options.get("return_path", "")
    written = to_ace(f"bounce@{domain}") if domain else "@"
    if written is None:
        raise TransportURLError("smtp: return_path is the name of a domain")
    return written.rpartition("@")[2]


def _default_helo() -> str:
    """For EHLO: this machine's full name, or an address literal (RFC 5321, 4.1.3)."""
    name = socket.gethostname()
    return name if "." in name and name.isascii() else "[127.0.0.1]"
