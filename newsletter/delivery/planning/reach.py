"""How many readers a mailing of an issue would reach now: those who haven't got it yet."""

from __future__ import annotations

from collections import Counter

from django.db.models import Count, Exists, OuterRef

from newsletter.delivery.models import Release, ReleaseRecipient
from newsletter.editorial.models import Issue
from subscribers.audience import Frequency, active_readers

Chain = tuple[str, ...]


def remaining_readers(issue: Issue) -> Counter[Chain]:
    """Return the number of readers by their chain of languages, without those who already got the
    issue, or are about to, from one of its mailings."""
    rows = active_readers(issue.newsletter, Frequency.WEEKLY)
    releases = Release.objects.filter(issue=issue).exclude(kind=Release.Kind.MONTHLY)
    got = ReleaseRecipient.objects.filter(
        release_id__in=releases.values("pk"), subscriber_id=OuterRef("subscriber")
    )
    if releases.exists():
        rows = rows.exclude(Exists(got))
    counted = rows.order_by("languages").values_list("languages").annotate(readers=Count("pk"))
    return Counter({chain: count for chain, count in counted if count})


def with_first_language(counts: Counter[Chain], language: str) -> int:
    """Return how many of the readers have this language first; all of them if it is empty."""
    if not language:
        return counts.total()
    return sum(count for chain, count in counts.items() if chain[:1] == (language,))
