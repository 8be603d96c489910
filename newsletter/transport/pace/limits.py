"""The rate limits that a transport's URL states. Pure: options in, values out.

`rate=14/s,50000/d&warmup=500/d*1.5&rate.gmail.com=20/m&calls=2/s`
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from newsletter.transport.pace.mailbox_providers import group_of_domain

SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
GROUP_PREFIX = "rate."
_RATE = re.compile(r"([0-9]{1,9})/([smhd])")
_WARM_UP = re.compile(r"([0-9]{1,9})/d\*([0-9]{1,3}(?:\.[0-9]{1,3})?)")
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_FORM = "must be a number and a unit, such as 14/s, 20/m, 5000/h or 50000/d"


@dataclass(frozen=True)
class Rate:
    """At most `count` in `seconds`: `str()` gives it as it is written in a URL."""

    count: int
    seconds: int

    @property
    def is_allowance(self) -> bool:
        """Whether it is used up at full speed (an hour's, a day's), instead of being spread."""
        return self.seconds >= SECONDS["h"]

    def __str__(self) -> str:
        unit = next(unit for unit, seconds in SECONDS.items() if seconds == self.seconds)
        return f"{self.count}/{unit}"


@dataclass(frozen=True)
class WarmUp:
    """At most `count` on the first day, and `factor` times as many on each day with sending."""

    count: int
    factor: float

    def on_day(self, days_before: int) -> int:
        """Return the limit after so many earlier days with sending."""
        return int(min(self.count * self.factor ** min(days_before, 200), 10**9))

    def __str__(self) -> str:
        return f"{self.count}/d*{self.factor:g}"


@dataclass(frozen=True)
class Limits:
    """What a transport may do: messages, provider's calls, and messages to one group of domains."""

    rates: tuple[Rate, ...] = ()
    calls: tuple[Rate, ...] = ()
    groups: Mapping[str, tuple[Rate, ...]] = field(default_factory=dict)
    warm_up: WarmUp | None = None

    @property
    def spread(self) -> tuple[Rate, ...]:
        """The rates of all messages that are spread evenly."""
        return tuple(rate for rate in self.rates if not rate.is_allowance)

    @property
    def allowances(self) -> tuple[Rate, ...]:
        """The rates of all messages that count an hour or a day."""
        return tuple(rate for rate in self.rates if rate.is_allowance)

    @property
    def has_allowance(self) -> bool:
        """Whether messages are counted before they are started."""
        return bool(self.allowances) or self.warm_up is not None

    def describe(self) -> dict[str, str]:
        """Return the options as they are written in a URL."""
        found = {"rate": self.rates, "calls": self.calls} | {
            GROUP_PREFIX + name: rates for name, rates in self.groups.items()
        }
        shown = {name: ",".join(map(str, rates)) for name, rates in found.items() if rates}
        return shown | ({"warmup": str(self.warm_up)} if self.warm_up else {})


NO_LIMITS = Limits()


def is_limit(name: str) -> bool:
    """Return whether an option of a URL states a limit."""
    return name in {"rate", "calls", "warmup"} or name.startswith(GROUP_PREFIX)


def parse_limits(options: Mapping[str, str]) -> Limits:
    """Return the limits that these options state. Raises ValueError with the reason."""
    groups: dict[str, tuple[Rate, ...]] = {}
    for name in options:
        if name.startswith(GROUP_PREFIX):
            domain = name.removeprefix(GROUP_PREFIX).lower()
            if not _DOMAIN.fullmatch(domain):
                raise ValueError(f"{name}: write the domain after “rate.”, as in rate.gmail.com")
            group = group_of_domain(domain)
            if group in groups:
                raise ValueError(f"{name}: another option limits the same mailbox provider")
            groups[group] = _spread(name, options[name])
    return Limits(
        rates=_rates("rate", options.get("rate", "")),
        calls=_spread("calls", options.get("calls", "")),
        groups=groups,
        warm_up=_warm_up(options["warmup"]) if "warmup" in options else None,
    )


def _rates(name: str, text: str) -> tuple[Rate, ...]:
    found: dict[int, Rate] = {}
    for word in text.split(",") if text else []:
        match = _RATE.fullmatch(word.strip())
        if match is None or not int(match[1]):
            raise ValueError(f"{name} {_FORM}; join several with commas")
        rate = Rate(int(match[1]), SECONDS[match[2]])
        if found.setdefault(rate.seconds, rate) is not rate:
            raise ValueError(f"{name} has two limits with the unit /{match[2]}")
    return tuple(found[seconds] for seconds in sorted(found))


def _spread(name: str, text: str) -> tuple[Rate, ...]:
    rates = _rates(name, text)
    if any(rate.is_allowance for rate in rates):
        raise ValueError(f"{name} can have the units /s and /m; only rate can have /h and /d")
    return rates


def _warm_up(text: str) -> WarmUp:
    match = _WARM_UP.fullmatch(text.strip())
    if match is None or not int(match[1]) or not 1 < float(match[2]) <= 10:
        raise ValueError(
            "warmup must be the first day's limit and a factor above 1, at most 10, such as "
            "500/d*1.5"
        )
    return WarmUp(int(match[1]), float(match[2]))
