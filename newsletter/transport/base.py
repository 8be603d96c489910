"""What every transport offers. docs/adding-a-transport.md shows how to add one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable
from typing import Any

from newsletter.transport.outcomes import Email, Recipient, SendResult


def never_stop() -> bool:
    """The `stop` of a call that nobody stops."""
    return False


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
    def compile(self, email: Email) -> Any:
        """Everything that can be done once per edition. Raises CompileError where a rendered
        sample does not parse back with every place filled."""

    @abstractmethod
    def send(
        self,
        compiled: Any,
        recipients: Iterable[Recipient],
        *,
        stop: Callable[[], bool] = never_stop,
        max_pending: int | None = None,
    ) -> Generator[SendResult, None, None]:
        """Hand over to each recipient; yields as each is settled, in any order, at most once.

        `recipients` are pulled as there is room for them, so that the caller can ask for
        permission just before it gives the first of a window; what it raises is raised here once
        all that is in flight is settled. At most `max_pending` recipients (and one for each connection)
        are pulled and not yet yielded.

        Once `stop` answers True no further message is begun; those in flight are finished within
        ten seconds, or UNKNOWN. It is asked often, between messages. A transport with a `window`
        may take all recipients at once and not ask: a call to a provider is not interrupted.

        A message whose fate cannot be known is yielded as UNKNOWN. Raises TransportDown. Pulled
        recipients that were not yielded by the end, however it comes, are provably unsent. But
        run it to its end: what is in flight when the generator is closed is forgotten. Other
        errors do not leave it: a provider's exceptions hold addresses.
        """

    @abstractmethod
    def close(self) -> None:
        """Give up its connections. `send` may be called again afterwards."""


class CompileError(Exception):
    """A mail that cannot be built; the text says why and names no reader."""


class TransportURLError(ValueError):
    """A transport's URL with a mistake; the text says which, without the secrets in it."""
