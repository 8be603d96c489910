"""The parts of a release: whom each takes.

* `all`: every reader whom no earlier part took.
* `first-LANGUAGE`: those whose chain begins with it; `all`, sent later, takes the rest.
* `unreached-N`: those whose last outcome is refused, failed or skipped; never unknown.
* `again-N`: those whose outcome is unknown, on an operator's word that it may arrive twice.
* `welcome`: single readers who asked for the issue when they subscribed (delivery.welcome).

Reach has one row per reader and release, so two parts never take the same reader; `unreached`
and `again` move the row on to themselves, in the statement that looks at the outcome.
"""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.transport.outcomes import Result
from subscribers.audience import Profile

ALL = "all"
WELCOME = "welcome"
UNREACHED = frozenset({Result.REFUSED, Result.FAILED, Result.SKIPPED})
DOUBTFUL = frozenset({Result.UNKNOWN})


@dataclass(frozen=True)
class Part:
    """`language`: only readers whose chain begins with it. `after`: only readers whose last
    outcome is one of these; empty for those that no part took."""

    name: str
    language: str = ""
    after: frozenset[Result] = frozenset()

    def takes(self, profile: Profile) -> bool:
        return not self.language or profile.languages[0] == self.language


def read(name: str) -> Part:
    """The part of that name. Raises ValueError for one that is none."""
    kind, _, rest = name.partition("-")
    match kind:
        case "all" | "welcome" if not rest:
            return Part(name)
        case "first" if rest:
            return Part(name, language=rest)
        case "unreached" if rest.isdigit():
            return Part(name, after=UNREACHED)
        case "again" if rest.isdigit():
            return Part(name, after=DOUBTFUL)
    raise ValueError(f"{name!r} is no part of a release")


def first(language: str) -> str:
    return f"first-{language}"


def numbered(kind: str, taken: set[str]) -> str:
    """The next free name: unreached-1, unreached-2 …"""
    number = 1
    while f"{kind}-{number}" in taken:
        number += 1
    return f"{kind}-{number}"
