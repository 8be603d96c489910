"""Rules that the database enforces."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import IntegrityError

from newsletter.editorial.models import Issue, Newsletter


def test_a_week_has_one_issue(weekly: Newsletter, issue: Issue) -> None:
    with pytest.raises(IntegrityError):
        Issue.objects.create(newsletter=weekly, starts_on=issue.starts_on, ends_on=issue.ends_on)


def test_a_week_runs_from_monday_to_sunday(weekly: Newsletter) -> None:
    with pytest.raises(IntegrityError):
        Issue.objects.create(
            newsletter=weekly, starts_on=date(2017, 7, 25), ends_on=date(2017, 7, 30)
        )
