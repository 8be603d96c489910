"""Fetches access tokens for XOAUTH2 (RFC 6749, 4.4 and 6) and keeps them until they expire.

Blocks for at most FETCH_SECONDS. Every failure becomes a TransportDownError that names neither a
secret nor anything of the answer but the error's standard name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal, TypeGuard

from newsletter.transport.decisions import retry_after
from newsletter.transport.outcomes import Fault, TransportDownError

if TYPE_CHECKING:
    import requests

FETCH_SECONDS = 10
MARGIN_SECONDS = 120
"""A token isn't used in its last two minutes: clocks differ, and it is checked at sign-in only."""
_DEFAULT_LIFETIME = 600
_SENDER_ERRORS = frozenset(
    {
        *("invalid_client", "invalid_grant", "invalid_request", "invalid_scope"),
        *("unauthorized_client", "unsupported_grant_type", "access_denied"),
        *("interaction_required", "consent_required"),
    }
)
"""RFC 6749 (5.2), and two of Microsoft's. Somebody has to change the settings or sign in again."""

Grant = Literal["client_credentials", "refresh_token"]


@dataclass(frozen=True)
class OAuthClient:
    """How to get a token. A secret in a file is read again for each token, so it can be replaced.

    Both grants may have a client secret; `refresh_token` is for the grant of that name.
    """

    token_url: str
    client_id: str
    grant: Grant = "client_credentials"
    scope: str = ""
    client_secret: str = field(default="", repr=False)
    client_secret_file: str = ""
    refresh_token: str = field(default="", repr=False)
    refresh_token_file: str = ""

    def form(self) -> dict[str, str]:
        """Return the body of the request. Raises OSError or UnicodeError for an unreadable file."""
        fields = {
            "grant_type": self.grant,
            "client_id": self.client_id,
            "client_secret": _secret(self.client_secret, self.client_secret_file),
            "scope": self.scope,
        }
        if self.grant == "refresh_token":
            fields["refresh_token"] = _secret(self.refresh_token, self.refresh_token_file)
        return {name: value for name, value in fields.items() if value}


class TokenSource:
    """The current token of one account."""

    def __init__(
        self, client: OAuthClient, name: str, *, clock: Callable[[], float] = monotonic
    ) -> None:
        self._client = client
        self._clock = clock
        self._name = name
        """The relay's URL without credentials, for errors."""
        self._token = ""
        self._expires = 0.0

    def token(self) -> str:
        """Return a token, fetched if none is valid. Raises TransportDownError."""
        if not self._token or self._clock() >= self._expires:
            self._token, lifetime = self._fetch()
            self._expires = self._clock() + max(lifetime - MARGIN_SECONDS, lifetime / 2)
        return self._token

    def renew(self, rejected: str) -> str:
        """Return another token than the one that the relay rejected.

        If another connection has fetched one in the meantime, it is that. Raises
        TransportDownError.
        """
        if rejected == self._token:
            self._token = ""
        return self.token()

    def _fetch(self) -> tuple[str, float]:
        import requests  # 6 MB in each process, which other relays don't need

        try:
            form = self._client.form()
        except (OSError, UnicodeError):
            raise self._down("a file with a secret cannot be read", Fault.SENDER) from None
        try:
            response = requests.post(
                self._client.token_url, data=form, timeout=FETCH_SECONDS, allow_redirects=False
            )
            answer = _json_object(response)
        except (requests.RequestException, OSError):
            raise self._down("the token endpoint is unreachable", Fault.RELAY) from None
        if not response.ok:
            raise self._refusal(response, answer.get("error"))
        token = answer.get("access_token")
        if not _is_token(token) or not 200 <= response.status_code < 300:
            raise self._down("the token endpoint's answer has no token", Fault.RELAY)
        return token, _lifetime(answer.get("expires_in"))

    def _refusal(self, response: requests.Response, error: object) -> TransportDownError:
        wait = retry_after(response.headers.get("Retry-After"))
        if isinstance(error, str) and error in _SENDER_ERRORS:
            return self._down(f"no access token: {error}", Fault.SENDER, "5.7.8")
        reason = f"no access token: HTTP {response.status_code}"
        return self._down(reason, Fault.RELAY, wait=wait)

    def _down(
        self, reason: str, fault: Fault, status: str = "", *, wait: int | None = None
    ) -> TransportDownError:
        return TransportDownError(
            f"{self._name}: {reason}", status=status, fault=fault, retry_after=wait
        )


def _secret(value: str, path: str) -> str:
    return Path(path).read_text().strip() if path else value


def _json_object(response: requests.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _is_token(token: object) -> TypeGuard[str]:
    """Return whether it fits into one line of the dialogue: RFC 6750 (2.1) has ASCII only."""
    return isinstance(token, str) and token.isascii() and token.isprintable() and bool(token)


def _lifetime(seconds: object) -> float:
    """Return a token's lifetime. Some endpoints write the number as a string."""
    try:
        return min(max(float(str(seconds)), 1.0), 86_400.0)
    except ValueError:
        return _DEFAULT_LIFETIME
