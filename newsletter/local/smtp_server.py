"""An SMTP server on the loopback interface that stores every message and forwards none."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

from aiosmtpd.smtp import SMTP

from newsletter.local.mailbox import Mailbox

MAX_MESSAGE_BYTES = 30_000_000


class MailboxHandler:
    """Stores each message before it replies 250."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        try:
            self.mailbox.add(envelope.original_content, tuple(envelope.rcpt_tos))
        except OSError:
            return "452 4.3.1 The local mailbox can't be written"
        return "250 2.0.0 Stored"


async def serve(mailbox: Mailbox, *, port: int) -> None:
    """Receive on 127.0.0.1:`port` until SIGTERM or SIGINT. Raises OSError if the port is in use."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)

    def session() -> SMTP:
        return SMTP(
            MailboxHandler(mailbox),
            hostname="localhost",
            ident="Tydzen local mailbox",
            data_size_limit=MAX_MESSAGE_BYTES,
            enable_SMTPUTF8=True,
            loop=loop,
        )

    server = await loop.create_server(session, "127.0.0.1", port)
    await stopped.wait()
    server.close()
