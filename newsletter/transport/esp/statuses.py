"""What became of each recipient of a call that the provider answered (C8, D5). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from newsletter.transport.decisions import CallStatus
from newsletter.transport.esp.batch import MergeRecipient
from newsletter.transport.esp.errors import CallFailure, recipient_meanings
from newsletter.transport.known_replies import Meaning
from newsletter.transport.outcomes import Fault, Result, SendResult

RESULTS = {
    "sent": (Result.SENT, Fault.NONE),
    "queued": (Result.SENT, Fault.NONE),
    "invalid": (Result.REFUSED, Fault.READER),
    "rejected": (Result.REFUSED, Fault.READER),
    "failed": (Result.FAILED, Fault.RELAY),
}
"""By Anymail's status. Any other status, or none for a recipient, is UNKNOWN (C8)."""


def send_results(
    call: Sequence[MergeRecipient], statuses: Mapping[str, Any], response: object, provider: str
) -> list[SendResult]:
    """Return each recipient's result, from Anymail's statuses by address and the response."""
    by_address = {str(address).casefold(): status for address, status in statuses.items()}
    meanings = recipient_meanings(response, provider, [recipient.address for recipient in call])
    found = []
    for recipient in call:
        key = recipient.address.casefold()
        found.append(_send_result(recipient.position, by_address.get(key), meanings.get(key)))
    return found


def _send_result(position: int, status: Any, meaning: Meaning | None) -> SendResult:
    name = getattr(status, "status", None) or ""
    result, fault = RESULTS.get(name, (Result.UNKNOWN, Fault.NONE))
    enhanced_status = ""
    if meaning is not None and result in {Result.REFUSED, Result.FAILED}:
        fault = meaning.fault
        enhanced_status = f"5.{meaning.status}" if meaning.status else ""
        if fault is not Fault.READER:
            result = Result.FAILED
        else:
            result = Result.DEFERRED if meaning.soft else Result.REFUSED
    message_id = str(getattr(status, "message_id", None) or "")
    return SendResult(position, result, None, enhanced_status, message_id, fault)


def common_refusal(results: Sequence[SendResult]) -> CallFailure | None:
    """Return why the provider failed everybody in a call for one reason of the sender's, or None.

    Some providers answer a call that they refuse as a whole with the same error for each recipient.
    """
    first = results[0]
    if first.result is not Result.FAILED or first.fault is not Fault.SENDER:
        return None
    if any(each[1:4] != first[1:4] or each.fault is not first.fault for each in results):
        return None
    return CallFailure(
        CallStatus.UNAVAILABLE,
        f"every recipient was refused: {first.status}".rstrip(": "),
        fault=first.fault,
        enhanced_status=first.status,
    )
