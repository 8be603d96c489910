"""Sends through any provider that Anymail supports, in batches if the provider allows it.

Anymail's own `send_messages` stops at the first error and raises only if every recipient was
refused. So its three steps (build the payload, post it, parse the statuses) are called one by one,
and each recipient's status is recorded (C3, C8).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any, NoReturn

from anymail.backends.base_requests import RequestsPayload
from anymail.exceptions import AnymailError

from newsletter.lib.placeholders import Placeholder
from newsletter.transport.addresses import NEEDS_SMTPUTF8, to_ace
from newsletter.transport.base import CompileError, Transport, never_stop
from newsletter.transport.decisions import CallStatus
from newsletter.transport.esp import batch
from newsletter.transport.esp.batch import EspEdition, MergeRecipient
from newsletter.transport.esp.errors import RESULTS, CallFailure, classify_failure
from newsletter.transport.esp.profiles import ProviderProfile
from newsletter.transport.esp.url import parse_provider
from newsletter.transport.outcomes import (
    Email,
    Fault,
    Recipient,
    Result,
    SendResult,
    TransportDownError,
)
from newsletter.transport.pace import Pace
from newsletter.transport.pace.pace import is_about_speed
from newsletter.transport.template import MergeError
from newsletter.transport.url import TransportURL

MAX_CONSECUTIVE_REJECTIONS = 25
"""After so many rejected calls in a row, the message is to blame and not its recipients."""


def from_url(url: TransportURL) -> EspTransport:
    """Return the transport of an `anymail+` URL. Raises TransportURLError."""
    profile, backend = parse_provider(url)
    domain = url.options.get("sender_domain", "")
    pace = Pace(url.limits, by_call=True)
    return EspTransport(f"{url.scheme}://{domain}", profile, backend, pace)


class _CallRejectedError(Exception):
    """The provider refused something in the call."""

    def __init__(self, code: int | None) -> None:
        super().__init__("rejected")
        self.code = code


class _CallUnknownError(Exception):
    """The provider may have accepted the call."""

    def __init__(self, failure: CallFailure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


class EspTransport(Transport[EspEdition]):
    """Calls a provider's API.

    `window` is the size of a batch, or None without batches. With a rate it is what may be sent in
    a second, so that no more than that is in flight.
    """

    def __init__(
        self, name: str, profile: ProviderProfile, backend: Any, pace: Pace | None = None
    ) -> None:
        self.name = name[:64]
        self.pace = pace or Pace(by_call=True)
        self.window = self.pace.largest_call(profile.max_recipients) if profile.is_batch else None
        self._stop: Callable[[], bool] = never_stop
        self._profile = profile
        self._backend = backend
        self._rejections = 0

    def compile(self, email: Email) -> EspEdition:
        """Compile the edition, and raise CompileError for what the provider doesn't support."""
        edition = batch.compile_edition(email, self._profile)
        urls = {each.value: "https://sample.example/" for each in Placeholder}
        sample = MergeRecipient(0, "reader@sample.example", "sample", urls)
        message = batch.build_message(edition, self._profile, [sample])
        try:
            payload = self._backend.build_message_payload(message, {})
            if isinstance(payload, RequestsPayload):
                # Some payloads validate their contents only here.
                payload.get_request_params(self._backend.api_url)
        except AnymailError as error:
            reason = str(error.args[0]) if error.args else "the message cannot be built"
            raise CompileError(f"{self.name}: {reason}") from None
        return edition

    def send(
        self,
        compiled: EspEdition,
        recipients: Iterable[Recipient],
        *,
        stop: Callable[[], bool] = never_stop,
        max_pending: int | None = None,
    ) -> Generator[SendResult, None, None]:
        self._stop = stop
        self.pace.begin()
        recipients = self.pace.within_allowance(recipients)
        if self.window is not None:
            yield from self._send_all(compiled, recipients)
        else:
            for recipient in recipients:
                if stop():
                    return
                yield from self._send_all(compiled, [recipient])
        self.pace.end()

    def _send_all(
        self, compiled: EspEdition, recipients: Iterable[Recipient]
    ) -> Iterator[SendResult]:
        ready: list[MergeRecipient] = []
        for recipient in recipients:
            try:
                ready.append(batch.merge_recipient(recipient, compiled.placeholders))
            except MergeError:
                yield _unsendable(recipient)
        # A mailbox provider's own limit goes by single recipients, after all others.
        others: list[MergeRecipient] = []
        limited: list[MergeRecipient] = []
        for one in ready:
            (limited if self.pace.group_of(one.address) else others).append(one)
        for call in batch.split_into_calls(others, self.window or 1):
            yield from self._send_call(compiled, call)
        for each in limited:
            if self.pace.is_overdue():
                yield SendResult(each.position, Result.DEFERRED, fault=Fault.SPEED)
            else:
                yield from self._send_call(compiled, [each])

    def close(self) -> None:
        self._backend.close()

    def _send_call(
        self, edition: EspEdition, call: Sequence[MergeRecipient]
    ) -> Iterator[SendResult]:
        """Send a call. If it is rejected, bisect it down to the refused recipient (C10)."""
        try:
            statuses = self._post_at_pace(edition, call)
        except _CallUnknownError as unknown:
            for recipient in call:
                yield SendResult(recipient.position, Result.UNKNOWN, unknown.failure.code)
            self._raise_down(unknown.failure)
        except _CallRejectedError as rejected:
            yield from self._bisect(edition, call, rejected.code)
        else:
            if statuses is None:
                return  # told to stop before it was sent
            self._rejections = 0
            yield from (_send_result(recipient, statuses) for recipient in call)

    def _bisect(
        self, edition: EspEdition, call: Sequence[MergeRecipient], code: int | None
    ) -> Iterator[SendResult]:
        self._rejections += 1
        if self._rejections >= MAX_CONSECUTIVE_REJECTIONS:
            self._rejections = 0
            raise TransportDownError(f"{self.name}: the provider rejects every message", code=code)
        if len(call) == 1:
            result = Result.REFUSED if code in {400, 422} else Result.FAILED
            yield SendResult(call[0].position, result, code)
            return
        middle = len(call) // 2
        yield from self._send_call(edition, call[:middle])
        yield from self._send_call(edition, call[middle:])

    def _post_at_pace(
        self, edition: EspEdition, call: Sequence[MergeRecipient]
    ) -> dict[str, Any] | None:
        """Post the call when the pace allows it, and again if it was refused for our speed.

        Returns None if `stop` returned True first. Raises what `_post` raises.
        """
        pace = self.pace
        group = pace.group_of(call[0].address)
        while pace.wait_for_turn(self._stop, recipients=len(call), group=group):
            try:
                statuses = self._post(edition, call)
            except TransportDownError as down:
                if not is_about_speed(down):
                    raise
                pace.refused(down.retry_after)
                too_long = pace.too_long()
                if too_long is not None:
                    down.fault, down.retry_after = too_long.fault, too_long.retry_after
                    raise
            else:
                pace.accepted(len(call))
                return statuses
        return None

    def _post(self, edition: EspEdition, call: Sequence[MergeRecipient]) -> dict[str, Any]:
        """Return Anymail's statuses by case-folded address.

        Raises _CallRejectedError, _CallUnknownError or TransportDownError.
        """
        backend = self._backend
        message = batch.build_message(edition, self._profile, call)
        backend.open()
        try:
            payload = backend.build_message_payload(message, {})
        except AnymailError:
            raise _CallRejectedError(None) from None
        try:
            response = backend.post_to_esp(payload, message)
            statuses = backend.parse_recipient_status(response, payload, message)
        except Exception as error:  # noqa: BLE001 - any exception may contain addresses
            failed = classify_failure(error)
        else:
            return {str(address).casefold(): status for address, status in statuses.items()}
        self._raise_failure(failed)

    def _raise_failure(self, failed: CallFailure) -> NoReturn:
        if failed.status is CallStatus.REJECTED:
            raise _CallRejectedError(failed.code)
        if failed.status is CallStatus.UNKNOWN:
            raise _CallUnknownError(failed)
        self._raise_down(failed)

    def _raise_down(self, failed: CallFailure) -> NoReturn:
        self._backend.close()
        raise TransportDownError(
            f"{self.name}: {failed.reason}", code=failed.code, retry_after=failed.retry_after
        ) from None


def _send_result(recipient: MergeRecipient, statuses: dict[str, Any]) -> SendResult:
    status = statuses.get(recipient.address.casefold())
    result = RESULTS.get(getattr(status, "status", None) or "", Result.UNKNOWN)
    return SendResult(
        recipient.position, result, message_id=str(getattr(status, "message_id", None) or "")
    )


def _unsendable(recipient: Recipient) -> SendResult:
    if to_ace(recipient.address) is None:
        return SendResult(recipient.position, Result.REFUSED, status=NEEDS_SMTPUTF8)
    return SendResult(recipient.position, Result.FAILED)
