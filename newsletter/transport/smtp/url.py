"""Parses `smtp://` and `smtps://` URLs."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast
from urllib.parse import urlsplit

from newsletter.transport import dkim
from newsletter.transport.addresses import to_ace
from newsletter.transport.base import TransportURLError
from newsletter.transport.dkim import Signer
from newsletter.transport.smtp.oauth import Grant, OAuthClient
from newsletter.transport.url import TransportURL, is_loopback

TlsMode = Literal["implicit", "demand", "offer", "never"]
_OAUTH_OPTIONS = (
    *("token_url", "client_id", "scope", "grant"),
    *("client_secret_file", "refresh_token", "refresh_token_file"),
)
_KNOWN_OPTIONS = frozenset(
    {
        *("connections", "window", "starttls", "timeout", "helo", "ca"),
        *("dkim_selector", "dkim_key_file", "return_path"),
        *("auth", *_OAUTH_OPTIONS),
    }
)


@dataclass(frozen=True)
class Relay:
    """The relay that gets the messages, and how to talk to it.

    `tls` is "implicit" (TLS from the first byte), "demand" (STARTTLS with a verified certificate),
    "offer" (STARTTLS if the relay has it, unverified; RFC 7435) or "never". `timeout` is in
    seconds, for each reply. `ca` is a file of certificates to trust instead of the system's. At
    most `connections` are opened, and on each at most `window` messages are ahead of the relay's
    replies. `signer` signs each message. `return_path` is a domain that receives bounces: the
    envelope sender is `bounce+DELIVERY_ID@` that domain (VERP), else the edition's own sender. With
    `oauth`, the user signs in with an access token (XOAUTH2) instead of the password.
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
    oauth: OAuthClient | None = None

    @property
    def redacted_url(self) -> str:
        """The URL without credentials and options."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'smtps' if self.tls == 'implicit' else 'smtp'}://{host}:{self.port}"


def parse_relay(url: TransportURL) -> Relay:
    """Parse an smtp or smtps URL. Raises TransportURLError."""
    url.require_known_options(_KNOWN_OPTIONS)
    if not url.host:
        raise TransportURLError(
            f"{url.scheme}: the host is missing; use smtp://user:password@host:port"
        )
    if url.path not in {"", "/"}:
        raise TransportURLError(f"{url.scheme}: only ?options can follow the port")
    oauth = _oauth_client(url)
    is_complete = url.user if oauth else bool(url.user) == bool(url.password)
    if not (url.user + url.password).isascii() or not is_complete:
        both = "a user" if oauth else "both user and password"
        raise TransportURLError(f"{url.scheme}: give {both}, in ASCII")
    tls = _tls_mode(url)
    return Relay(
        host=url.host,
        port=url.port or {"implicit": 465, "demand": 587}.get(tls, 25),
        tls=tls,
        user=url.user,
        password=url.password,
        connections=url.int_option("connections", default=8, minimum=1, maximum=500),
        window=url.int_option("window", default=4, minimum=1, maximum=100),
        timeout=url.int_option("timeout", default=60, minimum=1, maximum=600),
        helo=url.options.get("helo", "") or _default_helo(),
        ca=_ca_file(url.options),
        return_path=_return_path(url.options),
        signer=_signer(url.options),
        oauth=oauth,
    )


def _oauth_client(url: TransportURL) -> OAuthClient | None:
    """Return how to get access tokens, or None without auth=xoauth2.

    The URL's password is the client secret. Only loopback may do without https: the secret and
    the token would be readable on the network.
    """
    options = url.options
    method = options.get("auth", "password")
    if method == "password":
        if not any(name in options for name in _OAUTH_OPTIONS):
            return None
        raise TransportURLError(f"{url.scheme}: the options of OAuth need auth=xoauth2")
    grant = options.get("grant", "client_credentials")
    if method != "xoauth2" or grant not in {"client_credentials", "refresh_token"}:
        raise TransportURLError(
            f"{url.scheme}: auth must be password or xoauth2, "
            "and grant client_credentials or refresh_token"
        )
    _check_oauth_secrets(url, grant)
    return OAuthClient(
        token_url=_token_url(url),
        client_id=options.get("client_id", ""),
        grant=cast(Grant, grant),
        scope=options.get("scope", ""),
        client_secret=url.password,
        client_secret_file=options.get("client_secret_file", ""),
        refresh_token=options.get("refresh_token", ""),
        refresh_token_file=options.get("refresh_token_file", ""),
    )


def _check_oauth_secrets(url: TransportURL, grant: str) -> None:
    options = url.options
    secrets = bool(url.password) + bool(options.get("client_secret_file"))
    tokens = bool(options.get("refresh_token")) + bool(options.get("refresh_token_file"))
    if not options.get("client_id") or secrets > 1 or (grant != "refresh_token" and not secrets):
        raise TransportURLError(
            f"{url.scheme}: xoauth2 needs client_id, and the client's secret either as the "
            "password or in client_secret_file"
        )
    if tokens != (grant == "refresh_token"):
        raise TransportURLError(
            f"{url.scheme}: give refresh_token or refresh_token_file with grant=refresh_token"
        )


def _token_url(url: TransportURL) -> str:
    token_url = url.options.get("token_url", "")
    try:
        parts = urlsplit(token_url)
        host = parts.hostname or ""
    except ValueError:
        parts, host = urlsplit(""), ""
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))):
        raise TransportURLError(f"{url.scheme}: token_url must be an https URL")
    return token_url


def _tls_mode(url: TransportURL) -> TlsMode:
    """Return the TLS mode.

    Except on loopback, the default is "demand", and a password needs it: with "offer", an attacker
    on the network could remove the offer of STARTTLS.
    """
    mode = url.options.get("starttls", "")
    if url.scheme == "smtps":
        if mode:
            raise TransportURLError(
                "smtps uses TLS from the first byte; starttls is an option of smtp"
            )
        return "implicit"
    is_local = is_loopback(url.host)
    tls = mode or ("never" if is_local else "demand")
    if tls not in {"demand", "offer", "never"}:
        raise TransportURLError("smtp: starttls must be demand, offer or never")
    if url.user and not is_local and tls != "demand":
        raise TransportURLError("smtp: a password needs starttls=demand, or smtps")
    return cast(TlsMode, tls)


def _ca_file(options: Mapping[str, str]) -> str:
    path = options.get("ca", "")
    if path and not Path(path).is_file():
        raise TransportURLError("smtp: the file that ca names does not exist")
    return path


def _signer(options: Mapping[str, str]) -> Signer | None:
    selector, path = options.get("dkim_selector", ""), options.get("dkim_key_file", "")
    if not selector and not path:
        return None
    if not selector or not path:
        raise TransportURLError("smtp: give both dkim_selector and dkim_key_file")
    try:
        return dkim.load_signer(selector, Path(path))
    except ValueError as error:
        raise TransportURLError(f"smtp: DKIM: {error}") from None


def _return_path(options: Mapping[str, str]) -> str:
    domain = options.get("return_path", "")
    address = to_ace(f"bounce@{domain}") if domain else "@"
    if address is None:
        raise TransportURLError("smtp: return_path must be a domain")
    return address.rpartition("@")[2]


def _default_helo() -> str:
    """Return this machine's full name for EHLO, or an address literal (RFC 5321, 4.1.3)."""
    name = socket.gethostname()
    return name if "." in name and name.isascii() else "[127.0.0.1]"
