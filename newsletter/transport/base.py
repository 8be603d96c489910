"""The interface of every transport. docs/adding-a-transport.md shows how to add one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any, Generic, TypeAlias, TypeVar

from newsletter.transport.outcomes import Email, Recipient, SendResult
from newsletter.transport.pace import Pace

C = TypeVar("C")
"""A transport's compiled form of an email."""


def never_stop() -> bool:
    """Return False: the default for the `stop` argument of `Transport.send`."""
    return False


class Transport(ABC, Generic[C]):
    """Hands messages over. Knows no models; may keep connections open between calls.

    `name` identifies it in reports and logs, without secrets: "smtp://mail.example.org:587".
    `window` is the most recipients that one call of `send` should get, or None for no limit. The
    sender commits its permission for one window at a time, so a window is what stays in doubt if
    the worker dies.
    `connections` is how many messages can be on their way at once, or None if that is unknown.
    `pace` says how fast messages may be started, and measures how fast they are accepted.
    """

    name: str
    window: int | None = None
    connections: int | None = None
    pace: Pace = Pace()

    def learned(self) -> dict[str, float | None]:
        """Return what this process has learned about its connections and others can adopt.

        Empty if the transport keeps no connections. Ages are in seconds.
        """
        return {}

    def adopt(self, learned: Mapping[str, float | None], *, age: float) -> None:
        """Use what another process learned `age` seconds ago."""

    @abstractmethod
    def compile(self, email: Email) -> C:
        """Do everything that is needed only once per edition.

        Raises CompileError if a rendered sample does not parse back with every placeholder filled.
        """

    @abstractmethod
    def send(
        self,
        compiled: C,
        recipients: Iterable[Recipient],
        *,
        stop: Callable[[], bool] = never_stop,
        max_pending: Callable[[], int] | None = None,
    ) -> Generator[SendResult, None, None]:
        """Hand the email over to each recipient.

        Yields each result as soon as it is known: in any order, at most one per recipient.

        `recipients` is consumed only as there is room for more, so that the caller can ask for
        permission just before it yields the first recipient of a window. An exception that it
        raises is raised again here once everything in flight is settled. At most `max_pending()`
        recipients, and one for each connection, have been consumed but not yielded; it is asked
        often, because the caller follows the rate.

        Once `stop` returns True, no further message is started; those in flight are finished
        within ten seconds or become UNKNOWN. It is called often, between messages. A transport
        with a `window` may consume all recipients at once and never call it, because a request
        to a provider is not interrupted.

        A message that the relay or provider refuses for our speed is tried again within the call,
        for `pace.max_wait` seconds. If a limit of the transport's URL is reached, the rest isn't
        started, and TransportDownError has the fault SPEED and says when there is room again.

        A message whose fate cannot be determined is yielded as UNKNOWN. Raises
        TransportDownError. Recipients that were consumed but not yielded when the generator ends,
        for whatever reason, were provably not handed over. Do run it to its end: closing it early
        discards the results of what is in flight. No other exception leaves it, because a
        provider's exceptions contain addresses.
        """

    @abstractmethod
    def close(self) -> None:
        """Close all connections. `send` may be called again afterwards."""


AnyTransport: TypeAlias = Transport[Any]
"""A transport from a URL. Only the transport itself knows the type of what it compiles."""


class CompileError(Exception):
    """An email that cannot be built. The text says why and names no reader."""


class TransportURLError(ValueError):
    """A mistake in a transport's URL. The text says what is wrong, without the URL's secrets."""
