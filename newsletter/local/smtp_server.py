"""An SMTP server on this machine's loopback that keeps every mail and sends none on."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

from aiosmtpd.smtp import SMTP

from newsletter.local.mailbox import Mailbox

MAX_MESSAGE_BYTES = 30_000_000


class MailboxHandler:
    """Answers 250 once the mail is in the mailbox."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        try:
            self.mailbox.add(envelope.original_content, tuple(envelope.rcpt_tos))
        except OSError:
            return "452 4.3.1 The local mailbox cannot write"
        return "250 2.0.0 Kept"


async def serve(mailbox: Mailbox, *, port: int) -> None:
    """Receive on 127.0.0.1:`port` until SIGTERM or SIGINT. Raises OSError for a busy port."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)

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
    await ended.wait()
    server.close()
