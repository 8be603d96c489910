"""Exports as rows: asked for, approved by two people, made once; the trail that each leaves."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from newsletter.editorial.models import Newsletter
from subscribers import approvals
from subscribers.approvals import LIFETIME, NotApproved, Statement
from subscribers.exporting import active
from subscribers.models import Export

ONCE = "It was made already: each is made once"


def ask(newsletter: Newsletter, purpose: str) -> Export:
    """A request that two people can approve within LIFETIME. A tenth more readers than there are
    now may be in it, as people subscribe meanwhile. Raises NotApproved for an unfit purpose."""
    purpose = purpose.strip()
    if not purpose or len(purpose) > 200 or not purpose.isprintable():
        raise NotApproved("The purpose is one line of at most 200 characters")
    if "@" in purpose:
        raise NotApproved("The purpose is kept for good: it may hold no address")
    export = Export(newsletter=newsletter.slug, purpose=purpose)
    readers = active(newsletter).count()
    export.statement = Statement(
        export=str(export.public_id),
        newsletter=newsletter.slug,
        purpose=purpose,
        at_most=readers + readers // 10 + 10,
        recipient=settings.EXPORT_RECIPIENT.hex(),
        until=(timezone.now() + LIFETIME).isoformat(timespec="minutes"),
    ).text()
    export.save()
    return export


def find(public_id: str) -> Export:
    """The row of an id. Raises NotApproved, which names it, if there is none."""
    try:
        return Export.objects.get(public_id=uuid.UUID(public_id))
    except (ValueError, Export.DoesNotExist):
        raise NotApproved(f"There is no request “{public_id}”") from None


@transaction.atomic
def add(public_id: str, signature: str) -> list[str]:
    """Keep an approval; returns the names of all who have approved. Raises NotApproved where it is
    nobody's in EXPORT_APPROVERS, or for another request."""
    find(public_id)
    export = Export.objects.select_for_update().get(public_id=public_id)
    if not signed_by(export, [signature]):
        raise NotApproved("That is nobody's of EXPORT_APPROVERS, or for another request")
    export.signatures = [*(each for each in _signatures(export) if each != signature), signature]
    export.save(update_fields=["signatures"])
    return signed_by(export)


def signed_by(export: Export, signatures: Iterable[str] | None = None) -> list[str]:
    """Names of those whose signatures are in the row, or are given, and are true."""
    given = _signatures(export) if signatures is None else signatures
    return approvals.signed_by(export.statement, given, settings.EXPORT_APPROVERS)


def permitted(public_id: str, newsletter: Newsletter) -> tuple[Export, list[str]]:
    """The export and who approved it, where it may be made here and now. Raises NotApproved."""
    export = find(public_id)
    statement, names = approvals.demand(
        export.statement,
        _signatures(export),
        approvers=settings.EXPORT_APPROVERS,
        export=str(export.public_id),
        recipient=settings.EXPORT_RECIPIENT,
        now=timezone.now(),
    )
    if statement.newsletter != newsletter.slug:
        raise NotApproved(f"It was approved for “{statement.newsletter}”")
    readers = active(newsletter).count()
    if readers > statement.at_most:
        raise NotApproved(f"There are {readers} readers, and {statement.at_most} were approved")
    if export.made_at or _mark_of(export).exists():
        raise NotApproved(ONCE)
    return export, names


def take(export: Export, names: Iterable[str]) -> None:
    """From now on it was made, whatever becomes of it. This host remembers it by itself, as the
    database can be set back. Raises NotApproved for the second of two at once."""
    if export._state.adding:
        export.save()
    mark = _mark_of(export)
    mark.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        os.close(os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise NotApproved(ONCE) from None
    rows = Export.objects.filter(pk=export.pk, made_at=None)
    if not rows.update(made_at=timezone.now(), approved_by=", ".join(names)):
        raise NotApproved(ONCE)


def count(export: Export, readers: int) -> None:
    """Note how many readers are in what was made."""
    Export.objects.filter(pk=export.pk).update(readers=readers)


def _signatures(export: Export) -> list[str]:
    # Whatever else somebody wrote into the row is no approval.
    return export.signatures if isinstance(export.signatures, list) else []


def _mark_of(export: Export) -> Path:
    return Path(settings.VAR_DIR) / "exports" / str(export.public_id)
