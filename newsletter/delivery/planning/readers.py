"""Count the readers who would get an issue now: before it is sent, and without what they had."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from django.db.models import Exists, OuterRef

from newsletter.delivery.models import Outcome, ReleaseRecipient
from newsletter.delivery.planning.snapshot import Audience, last_outcomes
from newsletter.digest.assemble import assemble
from newsletter.editorial.approval import approvable_content
from newsletter.editorial.models import Issue
from subscribers import audience
from subscribers.audience import Segment, edition_options


@dataclass
class ReaderCounts:
    """Readers who would get an email, by their chain of languages."""

    by_chain: Counter[tuple[str, ...]] = field(default_factory=Counter)
    already: int = 0
    """Readers who are recipients of an earlier mailing of the issue."""
    empty: int = 0
    """Readers for whom the issue has nothing in their languages and topics."""
    editions: dict[tuple[str, ...], set[str]] = field(default_factory=lambda: defaultdict(set))
    """The keys of the editions that the readers of each chain get."""
    unreached: int = 0
    """Recipients whose email was refused, failed or was skipped."""

    @property
    def everyone(self) -> int:
        return self.by_chain.total()

    def chains(self, first_language: str) -> Counter[tuple[str, ...]]:
        """Return the readers who have this language first, or all of them, by chain."""
        return Counter(
            {
                chain: readers
                for chain, readers in self.by_chain.items()
                if readers and first_language in {"", chain[0]}
            }
        )

    def edition_count(self, first_language: str) -> int:
        chains = self.chains(first_language)
        return len(set().union(*(self.editions[chain] for chain in chains)))

    def first(self, language: str) -> int:
        """Return how many have this language first."""
        return self.chains(language).total()

    def of(self, choice: str) -> int:
        """Return the readers of a choice: "" for everyone, "unreached", or a first language."""
        if choice == Audience.UNREACHED:
            return self.unreached
        return self.first(choice) if choice else self.everyone


def count_readers(issue: Issue) -> ReaderCounts:
    """Count the issue's readers as a snapshot would take them now.

    It takes one more pass over those who already are recipients, and none over the others.
    """
    contents = approvable_content(issue, make_copies=False)
    counts = ReaderCounts()
    had = _recipients_by_segment(issue)
    for segment, readers in audience.segments(issue.newsletter):
        already = had.get(segment, 0)
        counts.already += already
        left = readers - already
        selection = assemble(contents, edition_options(segment, issue.newsletter))
        if selection is None:
            counts.empty += left
            continue
        chain = tuple(segment.languages)
        counts.by_chain[chain] += left
        if left:
            counts.editions[chain].add(selection.key)
    counts.unreached = _unreached(issue)
    return counts


def _recipients_by_segment(issue: Issue) -> dict[Segment, int]:
    releases = list(issue.releases.values_list("pk", flat=True))
    if not ReleaseRecipient.objects.filter(release_id__in=releases).exists():
        return {}
    recipients = ReleaseRecipient.objects.filter(
        release_id__in=releases, subscriber_id=OuterRef("subscriber_id")
    )
    return dict(audience.segments(issue.newsletter, among=Exists(recipients)))


def _unreached(issue: Issue) -> int:
    """Count recipients by their last outcome, as `start.send_again` does."""
    current = ReleaseRecipient.objects.filter(
        release_id__in=issue.releases.values("pk"),
        mailing_id=OuterRef("mailing_id"),
        subscriber_id=OuterRef("subscriber_id"),
    )
    outcomes = Outcome.objects.filter(Exists(current), result__in=last_outcomes(Audience.UNREACHED))
    return outcomes.count()
