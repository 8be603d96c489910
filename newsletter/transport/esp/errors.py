"""Turns the exceptions of Anymail, requests and boto3, which contain addresses, into values (G2).

The messages of a provider's error are searched for known words. Only its HTTP status, its own code
if we know it, and the class of the fault leave this module (G1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
from urllib3 import exceptions as urllib3

from newsletter.transport.decisions import (
    CallStatus,
    classify_call,
    retry_after,
    retry_after_in_text,
)
from newsletter.transport.esp.error_bodies import parse_body
from newsletter.transport.esp.error_codes import CODES
from newsletter.transport.known_replies import Meaning
from newsletter.transport.outcomes import Fault

_NOT_CONNECTED = (
    requests.exceptions.ConnectTimeout,
    requests.exceptions.ProxyError,
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
)
_NOT_CONNECTED_BOTO = frozenset(
    {"EndpointConnectionError", "ConnectTimeoutError", "ProxyConnectionError"}
)
# boto3 is optional, so its exceptions are known by name.
_NO_CREDENTIALS_BOTO = frozenset(
    {"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"}
)


@dataclass(frozen=True)
class CallFailure:
    """Why a call failed, without anything from the response body but a code that we know.

    `fault` is NONE if the provider doesn't explain why it rejects the call.
    """

    status: CallStatus
    reason: str
    code: int | None = None
    retry_after: int | None = None
    fault: Fault = Fault.RELAY
    enhanced_status: str = ""


def classify_failure(error: Exception, provider: str = "") -> CallFailure:
    """Classify an exception: the call was not accepted, may have been accepted, or was rejected.

    `provider` is the name of Anymail's backend.
    """
    response = getattr(error, "response", None)
    if isinstance(response, requests.Response):
        return _classify_response(response, provider)
    if isinstance(response, Mapping) and "Error" in response:
        return _classify_boto(response, provider)
    cause = error.__cause__ if isinstance(error.__cause__, Exception) else error
    if _is_from_boto(cause, _NO_CREDENTIALS_BOTO):
        return CallFailure(
            CallStatus.UNAVAILABLE, "no credentials", fault=Fault.SENDER, enhanced_status="5.7.8"
        )
    if _was_never_sent(cause):
        return CallFailure(CallStatus.UNAVAILABLE, "connection failed")
    return CallFailure(CallStatus.UNKNOWN, "no response")


def _classify_response(response: requests.Response, provider: str) -> CallFailure:
    code = response.status_code
    body: object = None
    text = b""
    try:
        body = response.json()
    except ValueError:  # A page of a proxy or gateway says nothing about our call.
        if "html" not in response.headers.get("Content-Type", ""):
            text = response.content[:4096]
    wait = retry_after(response.headers.get("Retry-After"))
    return _classify(code, body, text, wait, provider)


def _classify_boto(response: Mapping[str, Any], provider: str) -> CallFailure:
    metadata = response.get("ResponseMetadata") or {}
    code = metadata.get("HTTPStatusCode")
    wait = retry_after((metadata.get("HTTPHeaders") or {}).get("retry-after"))
    body = response["Error"]
    return _classify(code if isinstance(code, int) else 400, body, b"", wait, provider)


def _classify(code: int, body: object, text: bytes, wait: int | None, provider: str) -> CallFailure:
    parsed = parse_body(body)
    known = CODES.get(provider, {})
    own = next((name for name in parsed.codes if name in known), "")
    text = text or parsed.text
    # Some providers say in a successful response that they failed.
    said_code = 422 if parsed.failed and 200 <= code < 300 else code
    verdict = classify_call(said_code, known.get(own), text)
    reason = f"HTTP {code}, {own}" if own else f"HTTP {code}"
    if 200 <= code < 300 and verdict.status is CallStatus.UNKNOWN:
        # Accepted, but the recipients' statuses cannot be read.
        reason += " with an unreadable response"
    if wait is None:
        wait = retry_after_in_text(text)
    return CallFailure(verdict.status, reason, code, wait, verdict.fault, verdict.enhanced_status)


def recipient_meanings(response: object, provider: str, addresses: list[str]) -> dict[str, Meaning]:
    """Return why single recipients of an accepted call weren't, by case-folded address.

    Anymail reduces these to "failed" or "rejected". `addresses` are in the order of the call.
    """
    if provider not in {"mailjet", "mandrill", "unisender_go"}:
        return {}
    if not isinstance(response, requests.Response):
        return {}
    try:
        body = response.json()
    except ValueError:
        return {}
    known = CODES[provider]
    found: dict[str, Meaning] = {}
    for address, reasons in _reasons(body, provider, addresses):
        meaning = next((known[name] for name in parse_body(reasons).codes if name in known), None)
        if meaning is not None:
            found[address.casefold()] = meaning
    return found


def _reasons(body: Any, provider: str, addresses: list[str]) -> list[tuple[str, object]]:
    """Return each recipient's part of a response body."""
    try:
        if provider == "mailjet":
            return list(zip(addresses, body["Messages"], strict=True))
        if provider == "mandrill":
            return [(each["email"], {"code": each.get("reject_reason")}) for each in body]
        failed = body.get("failed_emails") or {}
        return [(address, {"code": reason}) for address, reason in failed.items()]
    except (KeyError, TypeError, ValueError, AttributeError):
        return []


def _is_from_boto(error: BaseException, names: frozenset[str]) -> bool:
    return any(
        kind.__name__ in names and kind.__module__.startswith("botocore.")
        for kind in type(error).__mro__
    )


def _was_never_sent(error: BaseException) -> bool:
    """Return whether no connection was made. A later timeout or loss is ambiguous (E6)."""
    if isinstance(error, _NOT_CONNECTED) or _is_from_boto(error, _NOT_CONNECTED_BOTO):
        return True
    if _is_from_boto(error, frozenset({"SSLError"})):
        return "certificate verify" in str(error).lower()
    inner = error.args[0] if error.args else None
    reason = getattr(inner, "reason", inner)
    if isinstance(reason, urllib3.NewConnectionError | urllib3.ConnectTimeoutError):
        return True
    return isinstance(reason, urllib3.SSLError) and "certificate verify" in str(reason).lower()
