"""How large a call to a provider is."""

from __future__ import annotations

from typing import Any

from anymail.backends.base_requests import RequestsPayload


def request_bytes(payload: Any) -> int:
    """Return the octets of a payload's request, roughly. Raises AnymailError if it is invalid.

    Serializing changes some payloads, so this one must not be posted afterwards.
    """
    if isinstance(payload, RequestsPayload):
        params = payload.get_request_params("https://api.example/")
        return _size(params.get("data")) + _size(params.get("files"))
    # Amazon SES gets the whole message, in base64.
    return len(payload.mime_message.as_bytes()) * 4 // 3


def _size(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode("utf-8", "replace"))
    if isinstance(value, bytes | bytearray):
        return len(value)
    if isinstance(value, dict):
        return sum(_size(name) + _size(inner) for name, inner in value.items())
    if isinstance(value, list | tuple):
        return sum(_size(inner) for inner in value)
    return len(str(value)) if value is not None else 0
