"""Store providers' message IDs, so that feedback without our own ID finds its reader (C9)."""

from __future__ import annotations

from collections.abc import Iterable

from newsletter.delivery.models import ProviderMessage


def store_provider_messages(mailing_id: int, messages: Iterable[tuple[int, str]]) -> int:
    """Store (subscriber ID, the provider's message ID) of emails that a provider accepted.

    Pairs without an ID are left out. Returns how many were stored. One INSERT per 500.
    """
    rows = [
        ProviderMessage(
            mailing_id=mailing_id,
            subscriber_id=subscriber_id,
            message_id=message_id[: ProviderMessage.MAX_LENGTH],
        )
        for subscriber_id, message_id in messages
        if message_id
    ]
    ProviderMessage.objects.bulk_create(rows, batch_size=500)
    return len(rows)
