"""`manage.py test_transport NAME ADDRESS`: send one test email, and show each step."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from newsletter.delivery.oversight import kill_switch, trial
from newsletter.delivery.oversight.explanations import explain
from newsletter.editorial.models import Newsletter
from newsletter.transport.base import AnyTransport, CompileError
from newsletter.transport.outcomes import Fault, Result
from newsletter.transport.registry import from_url
from newsletter.transport.smtp.dialogue import DialogueStep
from newsletter.transport.smtp.handshake import Extensions
from subscribers.addresses import AddressError, normalise

REFUSED, USAGE = 1, 2
_IN_DOUBT = "The connection was lost after the email was handed over: it may or may not arrive."


class Command(BaseCommand):
    help = (
        "Send one test email through a transport, and show each step and its reply. The exit "
        "status is 0 if the email was accepted, 1 if not, and 2 if the command can't run."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "transport",
            metavar="NAME",
            help="the transport's number (1, 2 …) or its name, as `manage.py transports` shows it",
        )
        parser.add_argument("address", metavar="ADDRESS", help="where the test email goes")
        parser.add_argument(
            "--newsletter",
            metavar="SLUG",
            help="send as this newsletter; by default, as the first one",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with translation.override("en"):
            self._run(options["transport"], options["address"], options["newsletter"])

    def _run(self, name: str, typed: str, slug: str | None) -> None:
        transport, newsletter, address = _transport(name), _newsletter(slug), _address(typed)
        if kill_switch.is_engaged():
            raise CommandError("The kill switch is on: nothing is sent.", returncode=USAGE)
        self._show(f"{transport.name}, as {newsletter.sender_address}")
        last = None
        try:
            for last in trial.steps(transport, trial.test_email(newsletter, transport), address):
                self._show(describe(last))
        except CompileError as error:
            self._show(f"The email can't be built for this transport: {error}")
        finally:
            transport.close()
        if last is not None and last.result is Result.SENT:
            self._show("Accepted. Now look whether it arrives, and whether it's taken for spam.")
            return
        if last is not None:
            self._show("\n".join(conclusion(last)))
        raise SystemExit(REFUSED)

    def _show(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def describe(step: DialogueStep) -> str:
    """Return a step in one line, with the relay's extensions after EHLO."""
    reply = f"{step.code or ''} {step.status}".strip()
    line = f"{step.seconds:8.3f} s  {step.name:<12} {reply:<10}"
    if step.extensions is not None:
        line += f" {_offered(step.extensions)}"
    if not step.ok:
        line += " refused" if step.code else " failed"
        if step.reason and step.reason != reply:
            line += f": {step.reason}"
    return line.rstrip()


def conclusion(step: DialogueStep) -> list[str]:
    """Return what the last step means, and what to do, if the email wasn't accepted."""
    if step.result is Result.UNKNOWN:
        return [_IN_DOUBT]
    whose = f" The fault is of the class “{step.fault.value}”." if step.fault else ""
    if step.fault is Fault.READER or step.name == "address":
        return [
            f"Not accepted.{whose}",
            "Only this address was refused: it may not exist, be full or be greylisted. "
            "Try another address, or this one again in a few minutes.",
        ]
    explanation = explain(step.fault, step.code, step.status, step.reason)
    return [f"Not accepted.{whose}", f"{explanation.title} {explanation.to_do}"]


def _offered(extensions: Extensions) -> str:
    size = f"SIZE {extensions.size}" if extensions.size else "SIZE without a limit"
    offered = {
        size: extensions.declares_size,
        "PIPELINING": extensions.pipelining,
        "CHUNKING": extensions.chunking,
        "STARTTLS": extensions.starttls,
        f"AUTH {' '.join(sorted(extensions.mechanisms))}": bool(extensions.mechanisms),
    }
    return ", ".join(name for name, is_offered in offered.items() if is_offered)


def _transport(name: str) -> AnyTransport:
    """Return a transport of our own, whose pace isn't shared: one email needs no permission."""
    configured = [from_url(url) for url in settings.DELIVERY_TRANSPORTS]
    for number, transport in enumerate(configured, start=1):
        if name in {str(number), transport.name}:
            return transport
    known = ", ".join(f"{number} ({each.name})" for number, each in enumerate(configured, start=1))
    raise CommandError(
        f"There is no such transport. Configured: {known or 'none'}.", returncode=USAGE
    )


def _newsletter(slug: str | None) -> Newsletter:
    rows = Newsletter.objects.order_by("pk")
    found = rows.filter(slug=slug).first() if slug else rows.first()
    if found is None:
        reason = f"There is no newsletter “{slug}”." if slug else "There is no newsletter yet."
        raise CommandError(reason, returncode=USAGE)
    return found


def _address(typed: str) -> str:
    try:
        return normalise(typed).email
    except AddressError as error:
        raise CommandError(str(error), returncode=USAGE) from None
