"""Finds codes and messages in a provider's error response, whatever its shape. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_CODE_KEYS = frozenset({"code", "errorcode", "error_code", "name", "type"})
_FIELD_KEYS = frozenset({"field", "argument_name", "errorrelatedto"})
"""What an error is about, for example personalizations.0.to.0.email or To[0].Email."""
_INDEX = re.compile(r"\.?\d+(?=\.|$)|\[\d+\]")
_CODE_IN_MESSAGE = re.compile(r"#(MS\d{5})\b")
"""MailerSend puts its code at the end of the message."""
_MAX_VALUES = 200
_MAX_DEPTH = 8


class ErrorBody(NamedTuple):
    """`codes` are in lower case, in the order in which they come; those of fields have no indexes.

    `failed` is whether the body says that the call failed. `text` has all messages; it contains
    addresses, so it must not be kept.
    """

    codes: tuple[str, ...]
    failed: bool
    text: bytes


def parse_body(body: object) -> ErrorBody:
    """Parse a response body that was JSON (or boto3's dictionary)."""
    codes: list[str] = []
    texts: list[str] = []
    for number, (key, value) in enumerate(_scalars(body, "", 0)):
        if number == _MAX_VALUES:
            break
        if key in _CODE_KEYS:
            codes.append(value.lower())
        elif key in _FIELD_KEYS:
            codes.append(_INDEX.sub("", value.lower()))
        texts.append(value)
        codes += [found.lower() for found in _CODE_IN_MESSAGE.findall(value)]
    failed = isinstance(body, dict) and (
        body.get("status") in {"error", "parameter-error"} or body.get("success") is False
    )
    return ErrorBody(tuple(codes), failed, "\n".join(texts).encode("utf-8", "replace"))


def _scalars(value: object, key: str, depth: int) -> Iterator[tuple[str, str]]:
    """Yield each string or number with its key in lower case; items of a list have its key."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _scalars(inner, str(name).lower(), depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _scalars(inner, key, depth + 1)
    elif isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        yield key, str(value)
