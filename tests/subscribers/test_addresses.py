"""B5: which addresses are accepted and how they are normalised; mailbox providers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers import addresses
from subscribers.addresses import Address, AddressError, mailbox_provider_of, normalise
from subscribers.models import Subscription
from tests.subscribers.conftest import AddReader, Ask


@pytest.mark.parametrize(
    ("typed", "mail", "key"),
    [
        ("  ala@readers.example ", "ala@readers.example", "ala@readers.example"),
        (
            "Ala.Reader+News@Readers.Example",
            "Ala.Reader+News@readers.example",
            "ala.reader+news@readers.example",
        ),
        ("ala@Пошта.бел", "ala@xn--80a1acn3a.xn--90ais", "ala@xn--80a1acn3a.xn--90ais"),
        (
            "ala@XN--80A1ACN3A.XN--90AIS",
            "ala@xn--80a1acn3a.xn--90ais",
            "ala@xn--80a1acn3a.xn--90ais",
        ),
        ("ala@straße.example", "ala@xn--strae-oqa.example", "ala@xn--strae-oqa.example"),
        ("a'b!c%d@readers.example", "a'b!c%d@readers.example", "a'b!c%d@readers.example"),
    ],
)
def test_b5_spellings_of_an_address_have_one_key(typed: str, mail: str, key: str) -> None:
    address = normalise(typed)
    assert (address.email, address.key) == (mail, key)


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("", "Enter your email"),
        ("   ", "Enter your email"),
        ("ala", "needs an @"),
        ("ala@@readers.example", "more than one @"),
        ("ala@readers.example, bo@readers.example", "more than one @"),
        ("@readers.example", "Something is missing"),
        ("ala@", "Something is missing"),
        ("ала@readers.example", "only contain Latin"),
        ("ala@readers", "look like an email address"),
        ("ala@readers..example", "look like an email address"),
        ("a la@readers.example", "look like an email address"),
        ("ala@[127.0.0.1]", "look like an email address"),
        ("ala\r\nBcc: x@readers.example", "more than one|look like"),
        ("ala@readers.example\nx", "look like an email address"),
        ("a" * 65 + "@readers.example", "look like an email address"),
        ("a" * 250 + "@readers.example", "too long"),
    ],
)
def test_b5_a_refused_address_gets_a_helpful_message(typed: str, message: str) -> None:
    with pytest.raises(AddressError, match=message) as caught:
        normalise(typed)
    assert "readers.example" not in str(caught.value)
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_the_repr_of_an_address_hides_it() -> None:
    assert "ala" not in repr(Address("ala", "readers.example"))


@pytest.mark.slow
@given(st.text(max_size=300) | st.emails())
def test_b5_any_text_is_accepted_or_refused_and_normalising_is_idempotent(text: str) -> None:
    try:
        address = normalise(text)
    except AddressError:
        return
    assert normalise(address.email) == address
    assert address.email.isascii()
    assert "\n" not in address.email
    assert normalise(address.email.upper()).key == address.key


@pytest.mark.parametrize(
    ("domain", "name"),
    [
        ("gmail.com", "gmail"),
        ("hotmail.com", "outlook"),
        ("bk.ru", "mailru"),
        ("ya.ru", "yandex"),
        ("yandex.by", "yandex"),
        ("ministry.example", ""),
        ("mail.gmail.com", ""),
    ],
)
def test_only_large_public_mailbox_providers_are_named(domain: str, name: str) -> None:
    assert mailbox_provider_of(domain) == name


def test_every_providers_name_fits_its_column() -> None:
    longest = Subscription._meta.get_field("mailbox_provider").max_length
    assert longest is not None
    assert all(len(name) <= longest for name in addresses._DOMAINS)


def test_the_provider_is_stored_with_the_subscription(add_reader: AddReader, ask: Ask) -> None:
    assert add_reader(address="ala@gmail.com").mailbox_provider == "gmail"
    assert add_reader(address="ala@ministry.example").mailbox_provider == ""
    asked = ask(address="asked@mail.ru")
    assert asked is not None
    assert asked.mailbox_provider == "mailru"
