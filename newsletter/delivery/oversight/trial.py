"""A trial of one transport: a test email to one address, and each step of handing it over.

It needs no reader, no worker and no broker, and uses a separate connection. So it works while the
transport is marked as down, and changes nothing that the workers know about it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from time import monotonic

from newsletter.editorial.models import Newsletter
from newsletter.transport.base import AnyTransport
from newsletter.transport.outcomes import (
    Email,
    Fault,
    Recipient,
    Result,
    SendResult,
    TransportDownError,
)
from newsletter.transport.smtp.dialogue import DialogueStep
from newsletter.transport.smtp.transport import SmtpTransport

TEXT = """\
This is a test email from the newsletter desk of {name}.

The operator of the desk sent it to find out whether {transport} accepts our emails and delivers \
them. You don't have to do anything.
"""


def test_email(newsletter: Newsletter, transport: AnyTransport) -> Email:
    """Return the test email, from the newsletter's own sender."""
    name = newsletter.sender_name_in("en")
    return Email(
        from_name=name,
        from_address=newsletter.sender_address,
        reply_to=newsletter.reply_to,
        subject="Test email from the newsletter desk",
        text=TEXT.format(name=name, transport=transport.name),
        headers=(("Auto-Submitted", "auto-generated"), ("Content-Language", "en")),
    )


def steps(transport: AnyTransport, email: Email, address: str) -> Iterator[DialogueStep]:
    """Hand the email over, and yield each step as soon as it is known; the last one decides.

    A relay's steps are the commands of the session, and a provider's only step is its call. A
    bounce of this email leads to no reader. Raises CompileError.
    """
    recipient = Recipient(0, address, f"test{secrets.token_hex(8)}", {})
    if isinstance(transport, SmtpTransport):
        yield from transport.dialogue(email, recipient)
    else:
        yield _call(transport, email, recipient)


def _call(transport: AnyTransport, email: Email, recipient: Recipient) -> DialogueStep:
    compiled = transport.compile(email)
    started = monotonic()
    down = TransportDownError("no result", fault=Fault.NONE)
    found: SendResult | None = None
    try:
        for send_result in transport.send(compiled, [recipient]):
            found = send_result
    except TransportDownError as error:
        down = error
    seconds = monotonic() - started
    if found is None:
        return DialogueStep(
            "call",
            seconds,
            down.code,
            down.status,
            ok=False,
            fault=down.fault,
            reason=down.reason,
        )
    is_sent = found.result is Result.SENT
    return DialogueStep(
        "call",
        seconds,
        found.code,
        found.status,
        ok=is_sent,
        result=found.result,
        fault=found.fault,
    )
