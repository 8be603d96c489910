"""Hands messages to any provider that Anymail knows, in batches where the provider allows.

Anymail's own `send_messages` stops at the first error, and raises only if all were refused. So
its three steps are called one by one (build, post, read the answer), and each recipient's status
is recorded (C3, C8).
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
from newsletter.transport.outcomes import Email, Recipient, Result, SendResult, TransportDownError
from newsletter.transport.template import MergeError
from newsletter.transport.url import TransportURL

MAX_CONSECUTIVE_REJECTIONS = 25
"""Calls refused in a row, after which the message is at fault and not its recipients."""


def from_url(url: TransportURL) -> Transport:
    """Raises TransportURLError."""
    _, profile, backend = parse_provider(url)
    domain = url.options.get("sender_domain", "")
    return EspTransport(f"{url.scheme}://{domain}", profile, backend)


class _CallRejectedError(Exception):
    """The call was refused because of something in it."""

    def __init__(self, code: int | None) -> None:
        super().__init__("refused")
        self.code = code


class _CallUnknownError(Exception):
    """The call may have been taken."""

    def __init__(self, failure: CallFailure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


class EspTransport(Transport):
    """`window` is a batch's size; None where each message is a call of its own."""

    def __init__(self, name: str, profile: ProviderProfile, backend: Any) -> None:
        self.name = name[:64]
        self.window = profile.most if profile.is_batch else None
        self._profile = profile
        self._backend = backend
        self._refusals = 0

    def compile(self, email: Email) -> EspEdition:
        """What the provider cannot carry (an embedded picture, say) is found here."""
        edition = batch.compile_edition(email, self._profile)
        urls = {place.value: "https://sample.example/" for place in Placeholder}
        sample = MergeRecipient(0, "reader@sample.example", "sample", urls)
        made = batch.build_message(edition, self._profile, [sample])
        try:
            payload = self._backend.build_message_payload(made, {})
            if isinstance(payload, RequestsPayload):
                # Some look at what they were given only now.
                payload.get_request_params(self._backend.api_url)
        except AnymailError as error:
            reason = str(error.args[0]) if error.args else "it cannot be built"
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
        if self.window is not None:
            yield from self._in_calls(compiled, recipients)
            return
        for recipient in recipients:
            if stop():
                return
            yield from self._in_calls(compiled, [recipient])

    def _in_calls(
        self, compiled: EspEdition, recipients: Iterable[Recipient]
    ) -> Iterator[SendResult]:
        ready: list[MergeRecipient] = []
        for recipient in recipients:
            try:
                ready.append(batch.merge_recipient(recipient, compiled.places))
            except MergeError:
                yield _unsendable(recipient)
        for call in batch.split_into_calls(ready, self.window or 1):
            yield from self._settle(compiled, call)

    def close(self) -> None:
        self._backend.close()

    def _settle(self, edition: EspEdition, call: Sequence[MergeRecipient]) -> Iterator[SendResult]:
        """One call, halved where it is refused until what is refused stands alone (C10)."""
        try:
            statuses = self._call(edition, call)
        except _CallUnknownError as lost:
            for recipient in call:
                yield SendResult(recipient.position, Result.UNKNOWN, lost.failure.code)
            self._down(lost.failure)
        except _CallRejectedError as refused:
            yield from self._narrow(edition, call, refused.code)
        else:
            self._refusals = 0
            yield from (_send_result(recipient, statuses) for recipient in call)

    def _narrow(
        self, edition: EspEdition, call: Sequence[MergeRecipient], code: int | None
    ) -> Iterator[SendResult]:
        self._refusals += 1
        if self._refusals >= MAX_CONSECUTIVE_REJECTIONS:
            self._refusals = 0
            raise TransportDownError(f"{self.name}: refuses every message", code=code)
        if len(call) == 1:
            result = Result.REFUSED if code in {400, 422} else Result.FAILED
            yield SendResult(call[0].position, result, code)
            return
        middle = len(call) // 2
        yield from self._settle(edition, call[:middle])
        yield from self._settle(edition, call[middle:])

    def _call(self, edition: EspEdition, call: Sequence[MergeRecipient]) -> dict[str, Any]:
        """Anymail's status by address in lower case. Raises _Refused, _Lost, TransportDown."""
        backend = self._backend
        made = batch.build_message(edition, self._profile, call)
        backend.open()
        try:
            payload = backend.build_message_payload(made, {})
        except AnymailError:
            raise _CallRejectedError(None) from None
        try:
            response = backend.post_to_esp(payload, made)
            statuses = backend.parse_recipient_status(response, payload, made)
        except Exception as error:  # noqa: BLE001 - whatever it is, it holds addresses
            failed = classify_failure(error)
        else:
            return {str(address).casefold(): status for address, status in statuses.items()}
        self._raise(failed)

    def _raise(self, failed: CallFailure) -> NoReturn:
        if failed.answer is CallStatus.AT_FAULT:
            raise _CallRejectedError(failed.code)
        if failed.answer is CallStatus.UNKNOWN:
            raise _CallUnknownError(failed)
        self._down(failed)

    def _down(self, failed: CallFailure) -> NoReturn:
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
