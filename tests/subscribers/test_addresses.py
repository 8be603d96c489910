"""B5: what is accepted, and the one form of each address."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.addresses import Address, AddressError, normalise


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
def test_b5_an_address_is_known_in_one_form(typed: str, mail: str, key: str) -> None:
    address = normalise(typed)
    assert (address.mail, address.key) == (mail, key)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Please enter"),
        ("   ", "Please enter"),
        ("ala", "has an @"),
        ("ala@@readers.example", "more than one @"),
        ("ala@readers.example, bo@readers.example", "more than one @"),
        ("@readers.example", "Something is missing"),
        ("ala@", "Something is missing"),
        ("ала@readers.example", "only Latin"),
        ("ala@readers", "not an e-mail address"),
        ("ala@readers..example", "not an e-mail address"),
        ("a la@readers.example", "not an e-mail address"),
        ("ala@[127.0.0.1]", "not an e-mail address"),
        ("ala\r\nBcc: x@readers.example", "more than one|not an"),
        ("ala@readers.example\nx", "not an e-mail address"),
        ("a" * 65 + "@readers.example", "not an e-mail address"),
        ("a" * 250 + "@readers.example", "too long"),
    ],
)
def test_b5_what_is_refused_has_words_that_help(typed: str, words: str) -> None:
    with pytest.raises(AddressError, match=words) as caught:
        normalise(typed)
    assert "readers.example" not in str(caught.value)
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_an_address_does_not_show_itself() -> None:
    assert "ala" not in repr(Address("ala", "readers.example"))


@given(st.text(max_size=300) | st.emails())
def test_b5_any_text_is_accepted_or_refused_and_the_form_is_stable(text: str) -> None:
    try:
        address = normalise(text)
    except AddressError:
        return
    assert normalise(address.mail) == address
    assert address.mail.isascii()
    assert "\n" not in address.mail
    assert normalise(address.mail.upper()).key == address.key
