"""How each provider says what happened: its own words, as tables and a few rules (D1).

Each module is named after its provider in Anymail, and its `read` takes the provider's own event
and the recipient that Anymail found in it. It returns a Reading, or None for what doesn't concern
us. docs/providers/ has a page for each provider.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from newsletter.delivery.feedback.facts import Reading


@cache
def dialect(provider: str) -> Callable[[Any, str], Reading | None]:
    """Return the provider's `read`."""
    read: Callable[[Any, str], Reading | None] = import_module(f"{__name__}.{provider}").read
    return read
