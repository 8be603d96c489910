"""Disposable domains (B6): accepted by default, warned about or refused if listed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from environs import ValidationError

from newsletter.editorial.models import Newsletter
from newsletter.lib import environment
from subscribers.antiabuse.domains import is_disposable
from subscribers.links import tokens
from subscribers.links.tokens import LinkPurpose
from subscribers.models import Intake
from tests.subscribers.conftest import AddReader, filled

DISPOSABLE_FORM = filled(email="ala@mail.short-lived.example")
FORM_PATHS = ["/en/subscribe/", "/en/embed/weekly/"]


@pytest.fixture
def listed(settings: Any) -> None:
    settings.DISPOSABLE_DOMAINS = frozenset({"short-lived.example"})


@pytest.mark.django_db
@pytest.mark.parametrize("path", FORM_PATHS)
def test_b6_disposable_domains_are_accepted_by_default(
    client: Client, weekly: Newsletter, path: str
) -> None:
    assert client.post(path, DISPOSABLE_FORM).status_code == 303
    assert Intake.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("path", FORM_PATHS)
def test_b6_a_disposable_domain_is_warned_about_once(
    client: Client, weekly: Newsletter, listed: None, path: str
) -> None:
    answer = client.post(path, DISPOSABLE_FORM)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "disposable address" in page
    assert 'name="insist" value="mail.short-lived.example"' in page
    assert not Intake.objects.exists()
    insisting = {**DISPOSABLE_FORM, "insist": "mail.short-lived.example"}
    assert client.post(path, insisting).status_code == 303


@pytest.mark.django_db
@pytest.mark.parametrize("path", FORM_PATHS)
def test_b6_a_disposable_domain_can_be_refused(
    client: Client, weekly: Newsletter, listed: None, settings: Any, path: str
) -> None:
    settings.DISPOSABLE_ACTION = "block"
    insisting = {**DISPOSABLE_FORM, "insist": "mail.short-lived.example"}
    answer = client.post(path, insisting)
    assert answer.status_code == 422
    assert "We don’t accept disposable email addresses" in answer.content.decode()
    assert not Intake.objects.exists()
    assert client.post(path, filled(email="ala@readers.example")).status_code == 303


@pytest.mark.django_db
def test_b6_a_disposable_address_cannot_be_moved_to_but_still_gets_its_link(
    client: Client, add_reader: AddReader, listed: None, settings: Any
) -> None:
    settings.DISPOSABLE_ACTION = "block"
    change_address = reverse(
        "subscribers:change-address", args=[tokens.make(LinkPurpose.ACCOUNT, add_reader("en").pk)]
    )
    assert client.post(change_address, DISPOSABLE_FORM).status_code == 422
    assert client.post("/en/preferences/", DISPOSABLE_FORM).status_code == 303
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
def test_b6_subdomains_of_a_listed_domain_count(
    domain: str,
    expected: bool,  # noqa: FBT001 - from the table above
    tmp_path: Path,
) -> None:
    path = tmp_path / "list"
    path.write_text("# a comment\nShort-Lived.example.\n\nПошта.example  # seen in May\n")
    assert is_disposable(domain, environment.read_domains(str(path))) is expected


def test_b6_an_unreadable_list_stops_startup(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="No such file"):
        environment.read_domains(str(tmp_path / "none"))
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="not a text"):
        environment.read_domains(str(tmp_path / "binary"))
    with pytest.raises(ValidationError, match="Must be one of: warn, block"):
        environment.one_of("warn", "block")("maybe")
