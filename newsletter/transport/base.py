"""What every transport offers. docs/adding-a-transport.md shows how to add one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from typing import Any

from newsletter.transport.outcomes import Handover, Mail, Recipient


class Transport(ABC):
    """Hands messages over. Knows no models; may keep connections between calls.

    `name` names it in accounts and logs, without secrets: "smtp://mail.example.org:587".
    `window` is how many recipients one call of `send` should be given, or None for as many as
    the sender likes: the sender commits its permission for one window at a time, so a window is
    what stays in doubt if the worker dies.
    """

    name: str
    window: int | None = None

    @abstractmethod
    def compile(self, mail: Mail) -> Any:
        """Everything that can be done once per edition. Raises CompileError where a rendered
        sample does not parse back with every place filled."""

    @abstractmethod
    def send(
        self, compiled: Any, recipients: Sequence[Recipient]
    ) -> Generator[Handover, None, None]:
        """Hand over to each recipient; yields as each is settled, in any order, at most once.

        A message whose fate cannot be known is yielded as UNKNOWN. Raises TransportDown; then
        those that were not yielded are provably unsent. So are they where the generator is closed
        early, but only without a `window`: with one, a provider has taken many by the time the
        first is yielded, and the generator must be run to its end. Other errors do not leave it:
        a provider's exceptions hold addresses.
        """

    @abstractmethod
    def close(self) -> None:
        """Give up its connections. `send` may be called again afterwards."""


class CompileError(Exception):
    """A mail that cannot be built; the text says why and names no reader."""


class TransportURLError(ValueError):
    """A transport's URL with a mistake; the text says which, without the secrets in it."""
