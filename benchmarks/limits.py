"""`python -m benchmarks.limits`: how well a relay's or provider's limit is used (D9).

Each server accepts so much in any second and refuses the rest, and says how it was used.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.settings")
django.setup()

from newsletter.transport.outcomes import Result  # noqa: E402
from newsletter.transport.registry import from_url  # noqa: E402
from tests.transport.cast import make_email, readers  # noqa: E402
from tests.transport.limited_servers import LimitedProvider, LimitedRelay  # noqa: E402


@dataclass(frozen=True)
class Trial:
    """`url` has the server's address for {}; `goal` is the part of the limit to use."""

    name: str
    start: Callable[[], LimitedRelay | LimitedProvider]
    url: str
    readers: int
    goal: float


RELAY = "smtp://127.0.0.1:{}?connections=8"
PROVIDER = "anymail+scaleway://?secret_key=k&project_id=p&api_url={}/"
TRIALS = (
    Trial("a relay at 14/s, learned", lambda: LimitedRelay(14), RELAY, 400, 1 / 1.3),
    Trial("a relay at 14/s, rate=14/s", lambda: LimitedRelay(14), RELAY + "&rate=14/s", 400, 0.8),
    Trial("a provider at 2/s, Retry-After: 1", lambda: LimitedProvider(2), PROVIDER, 60, 0.8),
    Trial(
        "a provider at 2/s, calls=2/s", lambda: LimitedProvider(2), PROVIDER + "&calls=2/s", 60, 0.8
    ),
)


def measure(trial: Trial) -> str:
    """Send to the trial's readers; return a line of the table."""
    server = trial.start()
    where = server.port if isinstance(server, LimitedRelay) else server.url
    transport = from_url(trial.url.format(where))
    compiled = transport.compile(make_email())
    started = monotonic()
    send_results = list(transport.send(compiled, readers(trial.readers), max_pending=lambda: 50))
    seconds = monotonic() - started
    transport.close()
    server.close()
    sent = sum(each.result is Result.SENT for each in send_results)
    used = trial.readers / server.limiter.limit / seconds
    return (
        f"{trial.name:34} {sent:4} sent in {seconds:5.1f} s, {used:4.0%} of the limit "
        f"(goal {trial.goal:.0%}), {len(server.limiter.refused)} refused"
    )


def main() -> None:
    threads = [threading.Thread(target=lambda t=t: print(measure(t), flush=True)) for t in TRIALS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
