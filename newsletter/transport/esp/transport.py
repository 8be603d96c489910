"""Sends through any provider that Anymail supports, in batches if the provider allows it.

Anymail's own `send_messages` stops at the first error and raises only if every recipient was
refused. So its three steps (build the payload, post it, parse the statuses) are called one by one,
and each recipient's status is recorded (C3, C8).

A call that the provider rejects is bisected only if the fault may be a recipient's (C10). What the
parts show counts only once a call of the same run has been accepted (D8): see `Run`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any, NoReturn

from anymail.exceptions import AnymailError

from newsletter.lib.placeholders import Placeholder
from newsletter.transport.addresses import NEEDS_SMTPUTF8, to_ace
from newsletter.transport.base import CompileError, Transport, never_stop
from newsletter.transport.decisions import CallStatus
from newsletter.transport.esp import batch, payloads, statuses
from newsletter.transport.esp.batch import EspEdition, MergeRecipient
from newsletter.transport.esp.errors import CallFailure, classify_failure
from newsletter.transport.esp.profiles import ProviderProfile
from newsletter.transport.esp.run import Run
from newsletter.transport.esp.sizes import request_bytes
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
from newsletter.transport.template import MergeError, max_length, sample_url
from newsletter.transport.url import TransportURL


def from_url(url: TransportURL) -> EspTransport:
    """Return the transport of an `anymail+` URL. Raises TransportURLError."""
    profile, backend = parse_provider(url)
    domain = url.options.get("sender_domain", "")
    pace = Pace(url.limits, by_call=True)
    return EspTransport(f"{url.scheme}://{domain}", profile, backend, pace)


class _CallError(Exception):
    """The provider rejected the call, or may have accepted it: see `failure.status`."""

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
        self._provider = name.partition("://")[0].partition("+")[2]
        self._profile = profile
        self._backend = backend

    def compile(self, email: Email) -> EspEdition:
        """Compile the edition, and raise CompileError for what the provider doesn't support."""
        edition = batch.compile_edition(email, self._profile)
        urls = {each.value: sample_url(each).ljust(max_length(each), "x") for each in Placeholder}
        samples = [
            MergeRecipient(n, f"reader{n:049}@sample.example", "sample".ljust(40, "x"), urls)
            for n in (1, 2)
        ]
        try:
            one, payload_class = self._sample(edition, samples[:1])
            two = self._sample(edition, samples)[0] if self._profile.is_batch else one
        except AnymailError as error:
            reason = str(error.args[0]) if error.args else "the message cannot be built"
            raise CompileError(f"{self.name}: {reason}") from None
        call_size = batch.fitting_recipients(self._profile, one, two)
        return dataclasses.replace(edition, call_size=call_size, payload_class=payload_class)

    def _sample(
        self, edition: EspEdition, samples: Sequence[MergeRecipient]
    ) -> tuple[int, type[Any]]:
        """Return the octets of a call to these, and the class of its payload."""
        # Some payloads validate their contents only when they are serialized.
        message = batch.build_message(edition, self._profile, samples)
        payload = self._backend.build_message_payload(message, {})
        return request_bytes(payload), type(payload)

    def send(
        self,
        compiled: EspEdition,
        recipients: Iterable[Recipient],
        *,
        stop: Callable[[], bool] = never_stop,
        max_pending: Callable[[], int] | None = None,
    ) -> Generator[SendResult, None, None]:
        self._stop = stop
        self.pace.begin()
        recipients = self.pace.within_allowance(recipients)
        run = Run(is_batch=self._profile.is_batch)
        if self.window is not None:
            yield from self._send_all(compiled, recipients, run)
        else:
            for recipient in recipients:
                if stop():
                    break
                yield from self._send_all(compiled, [recipient], run)
        yield from run.end()
        if run.blames_message:
            self._raise_down(run.as_failure())
        self.pace.end()

    def _send_all(
        self, compiled: EspEdition, recipients: Iterable[Recipient], run: Run
    ) -> Iterator[SendResult]:
        ready: list[MergeRecipient] = []
        for recipient in recipients:
            try:
                ready.append(batch.merge_recipient(recipient, compiled.placeholders))
            except MergeError:
                yield _unsendable(recipient)
        if not compiled.call_size:
            yield from (_too_large(recipient) for recipient in ready)
            return
        # A mailbox provider's own limit goes by single recipients, after all others.
        others: list[MergeRecipient] = []
        limited: list[MergeRecipient] = []
        for one in ready:
            (limited if self.pace.group_of(one.address) else others).append(one)
        for call in batch.split_into_calls(others, min(compiled.call_size, self.window or 1)):
            yield from self._send_call(compiled, call, run)
        for each in limited:
            if self.pace.is_overdue():
                yield SendResult(each.position, Result.DEFERRED, fault=Fault.SPEED)
            else:
                yield from self._send_call(compiled, [each], run)

    def close(self) -> None:
        self._backend.close()

    def _send_call(
        self, edition: EspEdition, call: Sequence[MergeRecipient], run: Run
    ) -> Iterator[SendResult]:
        """Send a call. If it is rejected, bisect it down to the refused recipient (C10)."""
        try:
            results = self._post_at_pace(edition, call)
        except _CallError as error:
            failure = error.failure
        else:
            if results is not None:  # else told to stop before the call was sent
                yield from run.accept(results)
            return
        if failure.status is CallStatus.UNKNOWN:
            for recipient in call:
                yield SendResult(recipient.position, Result.UNKNOWN, failure.code)
            self._raise_down(failure)
        yield from self._bisect(edition, call, failure, run)

    def _bisect(
        self, edition: EspEdition, call: Sequence[MergeRecipient], failure: CallFailure, run: Run
    ) -> Iterator[SendResult]:
        run.reject(failure)
        if run.is_hopeless:
            yield from run.end()
            self._raise_down(run.as_failure())
        if len(call) == 1:
            yield from run.isolate(call[0].position, failure)
        elif failure.fault is Fault.MESSAGE and not run.accepted and failure.code != 413:
            # It is the same message for everybody; only a smaller call could help.
            self._raise_down(failure)
        else:
            middle = len(call) // 2
            yield from self._send_call(edition, call[:middle], run)
            yield from self._send_call(edition, call[middle:], run)

    def _post_at_pace(
        self, edition: EspEdition, call: Sequence[MergeRecipient]
    ) -> list[SendResult] | None:
        """Post the call when the pace allows it, and again if it was refused for our speed.

        Returns None if `stop` returned True first. Raises what `_post` raises.
        """
        pace = self.pace
        group = pace.group_of(call[0].address)
        while pace.wait_for_turn(self._stop, recipients=len(call), group=group):
            try:
                results = self._post(edition, call)
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
                return results
        return None

    def _post(self, edition: EspEdition, call: Sequence[MergeRecipient]) -> list[SendResult]:
        """Return each recipient's result. Raises _CallError or TransportDownError."""
        backend = self._backend
        message = batch.build_message(edition, self._profile, call)
        try:
            backend.open()
        except Exception as error:  # noqa: BLE001 - boto3's client raises many
            # Nothing was sent yet, so this can't be ambiguous.
            failed = dataclasses.replace(
                classify_failure(error, self._provider), status=CallStatus.UNAVAILABLE
            )
            self._raise_down(failed)
        try:
            payload = payloads.build(backend, message, edition.payload_class)
        except AnymailError:
            rejected = CallFailure(CallStatus.REJECTED, "cannot be built", fault=Fault.NONE)
            raise _CallError(rejected) from None
        try:
            response = backend.post_to_esp(payload, message)
            found = backend.parse_recipient_status(response, payload, message)
        except Exception as error:  # noqa: BLE001 - any exception may contain addresses
            failed = classify_failure(error, self._provider)
        else:
            results = statuses.send_results(call, found, response, self._provider)
            refusal = statuses.common_refusal(results)
            if refusal is None:
                return results
            failed = refusal
        if failed.status is CallStatus.UNAVAILABLE:
            self._raise_down(failed)
        raise _CallError(failed) from None

    def _raise_down(self, failed: CallFailure) -> NoReturn:
        self._backend.close()
        raise TransportDownError(
            f"{self.name}: {failed.reason}",
            code=failed.code,
            status=failed.enhanced_status,
            fault=Fault.RELAY if failed.fault is Fault.NONE else failed.fault,
            retry_after=failed.retry_after,
        ) from None


def _too_large(recipient: MergeRecipient) -> SendResult:
    return SendResult(recipient.position, Result.FAILED, 413, "5.3.4", fault=Fault.MESSAGE)


def _unsendable(recipient: Recipient) -> SendResult:
    if to_ace(recipient.address) is None:
        return SendResult(recipient.position, Result.REFUSED, status=NEEDS_SMTPUTF8)
    return SendResult(recipient.position, Result.FAILED)
