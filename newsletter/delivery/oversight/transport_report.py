"""What is known of each transport: for the operator's page and `manage.py transports`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db.models import Count
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from newsletter.delivery.models import Batch, Mailing, Outcome, TransportState
from newsletter.delivery.oversight.explanations import Explanation, explain
from newsletter.delivery.oversight.report import Failure
from newsletter.delivery.sending import rates, transports
from newsletter.transport.outcomes import Fault, Result

ERRORS_OF = timedelta(days=7)
"""Errors are counted over the mailings of this time."""


class Condition(StrEnum):
    """How a transport is doing."""

    WORKING = "working"
    DOWN = "down"
    UNUSED = "unused"
    """It hasn't accepted a message yet."""
    REMOVED = "removed"
    """It was used, but has been removed from the configuration."""


_LABELS = {
    "rate": _("Emails per second, now"),
    "learned_rate": _("Rate it allows, as learned"),
    "limits": _("Limits"),
    "connections": _("Connections"),
    "today": _("Sent today"),
}


@dataclass(frozen=True)
class TransportReport:
    """One transport. `rank` is its place in DELIVERY_TRANSPORTS from 1, or None if it was removed.

    `facts` are what the workers learned: rate, limits, connections.
    """

    name: str
    rank: int | None
    condition: Condition
    down_since: datetime | None = None
    retry_at: datetime | None = None
    accepted_at: datetime | None = None
    reason: str = ""
    fault: Fault = Fault.NONE
    code: int | None = None
    status: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    errors: list[Failure] = field(default_factory=list)

    @property
    def explanation(self) -> Explanation:
        return explain(self.fault, self.code, self.status, self.reason)

    @property
    def codes(self) -> str:
        return f"{self.code or ''} {self.status}".strip()

    @property
    def shown_facts(self) -> list[dict[str, Any]]:
        """What the workers learned, with a label in the page's language; only what is known."""
        return [
            {"label": label, "value": self.facts[name]}
            for name, label in _LABELS.items()
            if self.facts.get(name) not in (None, "")
        ]

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        moments = {
            name: moment.isoformat() if moment else None
            for name, moment in (
                ("down_since", self.down_since),
                ("retry_at", self.retry_at),
                ("accepted_at", self.accepted_at),
            )
        }
        return {
            "name": self.name,
            "rank": self.rank,
            "condition": self.condition.value,
            **moments,
            "reason": self.reason,
            "fault": self.fault.value,
            "code": self.code,
            "status": self.status,
            "facts": self.facts,
            "errors": [
                {
                    "fault": each.fault.value,
                    "code": each.code,
                    "status": each.status,
                    "readers": each.readers,
                }
                for each in self.errors
            ],
        }


def transport_reports() -> list[TransportReport]:
    """Return all transports: those configured in their order, then those that were removed."""
    ranks = {each.name: rank for rank, each in enumerate(transports.configured(), start=1)}
    today = rates.handed_over_today()
    states = {state.name: state for state in TransportState.objects.order_by("name")}
    errors = _errors()
    names = [*ranks, *(name for name in states if name not in ranks)]
    reports = [_report(name, ranks.get(name), states.get(name), errors[name]) for name in names]
    for report in reports:
        report.facts["today"] = today.get(report.name, 0)
    return reports


def _report(
    name: str, rank: int | None, state: TransportState | None, errors: Iterable[Failure]
) -> TransportReport:
    if state is None:
        return TransportReport(name, rank, Condition.UNUSED)
    if rank is None:
        condition = Condition.REMOVED
    elif state.down_since is not None:
        condition = Condition.DOWN
    else:
        condition = Condition.WORKING if state.accepted_at else Condition.UNUSED
    return TransportReport(
        name,
        rank,
        condition,
        down_since=state.down_since,
        retry_at=state.retry_at,
        accepted_at=state.accepted_at,
        reason=state.reason,
        fault=Fault(state.fault),
        code=state.code,
        status=state.status,
        facts=state.facts,
        errors=list(errors),
    )


def _errors() -> defaultdict[str, list[Failure]]:
    """Return the replies that kept readers from getting an email, by transport."""
    recent = Mailing.objects.filter(created_at__gt=Now() - ERRORS_OF)
    batches = Batch.objects.filter(mailing__in=recent).exclude(transport="")
    transport_of = dict(batches.values_list("pk", "transport"))
    rows = (
        Outcome.objects.filter(
            mailing_id__in=recent.values("pk"), result__in=[Result.REFUSED, Result.FAILED]
        )
        .values_list("batch_id", "fault", "code", "status")
        .annotate(readers=Count("pk"))
    )
    totals: defaultdict[tuple[str, str, int | None, str], int] = defaultdict(int)
    for batch_id, fault, code, status, readers in rows:
        if batch_id in transport_of:
            totals[transport_of[batch_id], fault, code, status] += readers
    found: defaultdict[str, list[Failure]] = defaultdict(list)
    for (name, fault, code, status), readers in sorted(totals.items(), key=lambda item: -item[1]):
        found[name].append(Failure(Fault(fault), code, status, readers))
    return found
