"""Which picture files emails that are on their way still need."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, TextField
from django.db.models.functions import Cast

from newsletter.delivery.models import Batch, Edition


def is_being_sent(stem: str) -> bool:
    """Return whether an edition with open batches embeds a file whose name begins with `stem`.

    Once it has been sent, the file may go: whoever deletes a picture may have to.
    """
    unsent = Batch.objects.filter(edition=OuterRef("pk")).exclude(state=Batch.State.CLOSED)
    editions = Edition.objects.filter(Exists(unsent))
    stored = editions.annotate(names=Cast("images", TextField()))
    return stored.filter(names__contains=stem).exists()
