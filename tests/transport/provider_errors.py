"""Providers' errors as they send them, and what becomes of a list (D7, C10)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from newsletter.transport.outcomes import Fault, Result


class ProviderError(NamedTuple):
    """An error that answers the first call. In its body, `{to}` stands for the reader's address.

    `result` is that of the reader, or None if the provider can't be used: then nobody is sent to.
    `status` is the enhanced status that explains it.
    """

    profile: str
    http: int
    body: Any
    fault: Fault
    result: Result | None
    status: str
    headers: tuple[tuple[str, str], ...]


def _load(path: Path) -> tuple[ProviderError, ...]:
    return tuple(
        ProviderError(
            each["profile"],
            each["http"],
            each["body"],
            Fault(each["fault"]),
            Result[each["result"]] if each["result"] else None,
            each["status"],
            tuple(each.get("headers", {}).items()),
        )
        for each in json.loads(path.read_text(encoding="utf-8"))
    )


PROVIDER_ERRORS = _load(Path(__file__).with_suffix(".json"))
