"""A command that is given an id, a slug or a date that nothing has: an error that names it."""

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
    (["send_issue", "weekly", "2017-07-31"], "no issue 2017-07-31. The latest are: 2017-07-24"),
    (["send_issue", "weekly", "special"], "“special” is neither a date"),
    (["send_issue", "weekly", "2017-07-25"], "2017-07-25 is no Monday"),
    (["send_issue", "weekly", "July", "--monthly"], "“July” is no month"),
    (["add_reader", "a@readers.example", "--newsletter=daily", "--languages=en"], "“daily”"),
    (["add_reader", "a@readers.example", "--newsletter=weekly", "--languages=ka"], "ka"),
    (["export_readers", "daily", "--to", "FILE"], "no newsletter “daily”. There is: weekly"),
]


@pytest.mark.parametrize(("words", "told"), CASES, ids=[" ".join(words) for words, _ in CASES])
def test_what_does_not_exist_is_an_error_that_names_it(
    issue: Issue, tmp_path: Path, words: list[str], told: str
) -> None:
    file = tmp_path / "export"
    words = [str(file) if word == "FILE" else word for word in words]
    said = StringIO()
    # Django ends a command that raises CommandError with the exit status 1.
    with pytest.raises(CommandError, match=told) as error:
        call_command(*words, stdout=said, stderr=said)
    assert error.value.returncode == 1
    assert said.getvalue() == ""
    assert not file.exists()
    assert not Mailing.objects.exists()
    assert not Subscriber.objects.exists()
    assert not Export.objects.exists()


def test_without_any_newsletter_that_is_said(db: None) -> None:
    with pytest.raises(CommandError, match="no newsletter “weekly”. There is none yet"):
        call_command("send_issue", "weekly", "2017-07-24")


def test_an_audit_of_nothing_is_no_error(db: None) -> None:
    said = StringIO()
    call_command("audit", stdout=said)
    assert said.getvalue() == "Nothing was sent yet.\n"
