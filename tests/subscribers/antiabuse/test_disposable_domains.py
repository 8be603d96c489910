"""B6: throw-away mailboxes, by a list kept here: asked about or refused, and let in by default."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from environs import ValidationError

from newsletter.editorial.models import Newsletter
from newsletter.lib import environment
from subscribers.antiabuse.disposable_domains import is_listed
from subscribers.links import tokens
from subscribers.links.tokens import LinkPurpose
from subscribers.models import Intake
from tests.subscribers.conftest import AddReader, filled

THROWN_AWAY = filled(email="ala@mail.short-lived.example")
WHERE = ["/en/subscribe/", "/en/embed/weekly/"]


@pytest.fixture
def listed(settings: Any) -> None:
    settings.DISPOSABLE_DOMAINS = frozenset({"short-lived.example"})


@pytest.mark.django_db
@pytest.mark.parametrize("path", WHERE)
def test_b6_it_is_off_by_default(client: Client, weekly: Newsletter, path: str) -> None:
    assert client.post(path, THROWN_AWAY).status_code == 303
    assert Intake.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("path", WHERE)
def test_b6_a_warning_is_given_once(
    client: Client, weekly: Newsletter, listed: None, path: str
) -> None:
    answer = client.post(path, THROWN_AWAY)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "throw-away mailbox" in page
    assert 'name="insist" value="mail.short-lived.example"' in page
    assert not Intake.objects.exists()
    insisted = {**THROWN_AWAY, "insist": "mail.short-lived.example"}
    assert client.post(path, insisted).status_code == 303


@pytest.mark.django_db
@pytest.mark.parametrize("path", WHERE)
def test_b6_or_they_are_refused(
    client: Client, weekly: Newsletter, listed: None, settings: Any, path: str
) -> None:
    settings.DISPOSABLE_ACTION = "block"
    insisted = {**THROWN_AWAY, "insist": "mail.short-lived.example"}
    answer = client.post(path, insisted)
    assert answer.status_code == 422
    assert "We do not write to throw-away mailboxes" in answer.content.decode()
    assert not Intake.objects.exists()
    assert client.post(path, filled(email="ala@readers.example")).status_code == 303


@pytest.mark.django_db
def test_b6_who_moves_is_asked_and_who_has_one_gets_their_link(
    client: Client, add_reader: AddReader, listed: None, settings: Any
) -> None:
    settings.DISPOSABLE_ACTION = "block"
    move = reverse(
        "subscribers:change-address", args=[tokens.make(LinkPurpose.ACCOUNT, add_reader("en").pk)]
    )
    assert client.post(move, THROWN_AWAY).status_code == 422
    assert client.post("/en/preferences/", THROWN_AWAY).status_code == 303
    assert Intake.objects.get().kind == "link"


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("short-lived.example", True),
        ("a.b.short-lived.example", True),
        ("not-short-lived.example", False),
        ("example", False),
        ("xn--80a1acn3a.example", True),
    ],
)
def test_b6_what_is_below_a_domain_counts(domain: str, expected: bool, tmp_path: Path) -> None:  # noqa: FBT001
    path = tmp_path / "list"
    path.write_text("# ours\nShort-Lived.example.\n\nПошта.example  # seen in May\n")
    assert is_listed(domain, environment.read_domains(str(path))) is expected


def test_b6_a_list_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="No such file"):
        environment.read_domains(str(tmp_path / "none"))
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="not a text"):
        environment.read_domains(str(tmp_path / "binary"))
    with pytest.raises(ValidationError, match="Must be one of: warn, block"):
        environment.one_of("warn", "block")("maybe")
