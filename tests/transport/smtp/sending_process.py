"""Sends to readers in a separate process: `python -m tests.transport.smtp.sending_process`."""

from __future__ import annotations

import sys

from newsletter.transport import registry
from tests.transport.cast import make_email, reader


def main(url: str, first: int, last: int) -> None:
    """Send to the readers in this range; print each one's position and result."""
    transport = registry.from_url(url)
    recipients = [reader(position) for position in range(first, last)]
    for send_result in transport.send(transport.compile(make_email()), recipients):
        print(send_result.position, send_result.result.name, flush=True)
    transport.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
