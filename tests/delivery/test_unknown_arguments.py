"""A command given an unknown ID, slug or date fails and names it."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from newsletter.delivery.models import Mailing
from newsletter.editorial.models import Issue
from subscribers.models import Export, Subscriber

CASES = [
    (["audit", "--mailing", "99"], "Mailing 99 doesn't exist"),
    (["audit", "--mailing", "99", "--json"], "Mailing 99 doesn't exist"),
    (["audit", "--mailing", "0"], "Mailing 0 doesn't exist"),
    (["audit", "--mailing", "9" * 30], "Mailing 9{30} doesn't exist"),
    (["send_issue", "daily", "2017-07-24"], "no newsletter “daily”. There is: weekly"),
    (
        ["send_issue", "weekly", "2017-07-31"],
        "Issue 2017-07-31 doesn't exist. The latest are: 2017-07-24",
    ),
    (["send_issue", "weekly", "special"], "“special” is neither a date"),
    (["send_issue", "weekly", "2017-07-25"], "2017-07-25 isn't a Monday"),
    (["send_issue", "weekly", "July", "--monthly"], "“July” isn't a month"),
    (["add_reader", "a@readers.example", "--newsletter=daily", "--languages=en"], "“daily”"),
    (["add_reader", "a@readers.example", "--newsletter=weekly", "--languages=ka"], "ka"),
    (["export_readers", "daily", "--to", "FILE"], "no newsletter “daily”. There is: weekly"),
]


@pytest.mark.parametrize(("words", "message"), CASES, ids=[" ".join(words) for words, _ in CASES])
def test_an_unknown_argument_is_an_error_that_names_it(
    issue: Issue, tmp_path: Path, words: list[str], message: str
) -> None:
    file = tmp_path / "export"
    words = [str(file) if word == "FILE" else word for word in words]
    out = StringIO()
    # Django ends a command that raises CommandError with the exit status 1.
    with pytest.raises(CommandError, match=message) as error:
        call_command(*words, stdout=out, stderr=out)
    assert error.value.returncode == 1
    assert out.getvalue() == ""
    assert not file.exists()
    assert not Mailing.objects.exists()
    assert not Subscriber.objects.exists()
    assert not Export.objects.exists()


def test_the_error_says_that_there_are_no_newsletters(db: None) -> None:
    with pytest.raises(CommandError, match=r"no newsletter “weekly”\. There is none yet"):
        call_command("send_issue", "weekly", "2017-07-24")


def test_an_audit_without_mailings_succeeds(db: None) -> None:
    out = StringIO()
    call_command("audit", stdout=out)
    assert out.getvalue() == "Nothing has been sent yet.\n"
