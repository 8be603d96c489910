"""Mistyped domains get a suggestion, and malformed addresses a helpful refusal (B5)."""

from __future__ import annotations

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from newsletter.editorial.models import Newsletter
from subscribers.addresses import AddressError, normalise
from subscribers.antiabuse.domains import COMMON, suggestion
from subscribers.models import Intake
from tests.subscribers.conftest import filled

LETTERS = st.sampled_from("abcdefghijklmnopqrstuvwxyz0123456789.-")


@pytest.mark.parametrize(
    ("typed", "intended"),
    [
        ("gmial.com", "gmail.com"),
        ("gmai.com", "gmail.com"),
        ("gmaill.com", "gmail.com"),
        ("gmail.con", "gmail.com"),
        ("gmail.co", "gmail.com"),
        ("protonmial.com", "protonmail.com"),
        ("mail.ry", "mail.ru"),
    ],
)
def test_a_typo_gets_a_suggestion(typed: str, intended: str) -> None:
    assert suggestion(typed) == intended


@pytest.mark.parametrize("domain", [*sorted(COMMON), "readers.example", "gmx.it", "wp.eu", "a", ""])
def test_a_domain_without_a_typo_gets_no_suggestion(domain: str) -> None:
    assert suggestion(domain) is None


@given(st.sampled_from(sorted(domain for domain in COMMON if len(domain) >= 7)), st.data())
def test_any_wrong_letter_gets_a_suggestion(domain: str, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(domain) - 1))
    typed = domain[:position] + data.draw(LETTERS) + domain[position + 1 :]
    assert (suggestion(typed) is None) == (typed in COMMON)


@given(st.text(max_size=80))
def test_arbitrary_text_raises_nothing(text: str) -> None:
    suggestion(text)


@pytest.mark.django_db
def test_a_suggestion_is_made_once(client: Client, weekly: Newsletter) -> None:
    data = filled(email="ala@gmial.com")
    answer = client.post("/en/subscribe/", data)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Did you mean gmail.com?" in page
    assert 'value="ala@gmial.com"' in page
    assert '<input type="hidden" name="insist" value="gmial.com">' in page
    assert client.post("/en/subscribe/", {**data, "insist": "gmial.com"}).status_code == 303
    assert client.post("/en/subscribe/", {**data, "insist": "gmal.com"}).status_code == 422
    assert Intake.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address",
    [
        "a\0b@readers.example",
        "a\r\nBcc: x@y.example@readers.example",
        "a@readers.exam\x07ple",
        "a\u202eb@readers.example",
        "a@readers\u200b.example",
        "\x7fa@readers.example",
        "a@[127.0.0.1]",
        '"a b"@readers.example',
        "a@localhost",
        "a@readers..example",
        "<a@readers.example>",
    ],
)
def test_control_characters_and_malformed_addresses_are_refused(
    client: Client, weekly: Newsletter, address: str
) -> None:
    answer = client.post("/be/subscribe/", filled(email=address))
    assert answer.status_code == 422
    assert not Intake.objects.exists()


@pytest.mark.django_db
def test_ten_megabytes_are_refused_with_an_explanation(client: Client, weekly: Newsletter) -> None:
    for path in ("/en/subscribe/", "/en/embed/weekly/", "/en/preferences/"):
        answer = client.post(path, filled(email="x" * 10_000_000))
        assert answer.status_code == 400
        assert "Nothing has changed" in answer.content.decode()
    assert not Intake.objects.exists()


@pytest.mark.django_db
def test_repeated_choices_and_unknown_fields_are_ignored(
    client: Client, weekly: Newsletter
) -> None:
    data = filled(choices=["en"] * 500, **{f"field{n}": "x" for n in range(400)})
    assert client.post("/en/subscribe/", data).status_code == 303
    assert client.post("/en/subscribe/", filled(newsletter="a\0b")).status_code == 404


# --- Normalisation (B5) -----------------------------------------------------------------------
@given(st.text(max_size=300))
def test_b5_any_text_is_an_address_or_gets_an_error_message(text: str) -> None:
    try:
        address = normalise(text)
    except AddressError as error:
        message = str(error)
        address = None
    if address is None:
        assert message
        # A shorter text can be part of another word by chance.
        assert len(text.strip()) < 15 or text.strip() not in message
        return
    assert address.email.isascii()
    assert address.key == address.key.lower()


@given(
    st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._+-]{0,20}[A-Za-z0-9])?", fullmatch=True).filter(
        lambda local: ".." not in local
    ),
    st.sampled_from(["readers.example", "Пошта.Бел", "пошта.бел", "A.Example"]),
    st.sampled_from(["", " ", "\n", "\t "]),
)
def test_b5_normalising_again_changes_nothing(local: str, domain: str, blank: str) -> None:
    once = normalise(f"{blank}{local}@{domain}{blank}")
    assert normalise(once.email) == once
    assert once.local == local
    assert normalise(f"{local.upper()}@{domain.upper()}").key == once.key
