"""The recipient of an email, as a provider reports them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

SAID = {
    "hard": "550 5.1.1 <{}> User unknown",
    "soft": "452 4.2.2 <{}> Mailbox full",
}

NOW = datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True)
class Who:
    """The recipient of an email. Without `delivery_id`, as if the provider kept no metadata."""

    address: str
    delivery_id: str = ""
    message_id: str = "provider-message-1"
    event_id: str = "event-1"
    at: datetime = NOW

    @property
    def metadata(self) -> dict[str, str]:
        return {"delivery_id": self.delivery_id} if self.delivery_id else {}

    @property
    def epoch(self) -> int:
        return int(self.at.timestamp())

    @property
    def iso(self) -> str:
        return self.at.strftime("%Y-%m-%dT%H:%M:%SZ")

    def said(self, kind: str) -> str:
        return SAID.get(kind, "").format(self.address)
