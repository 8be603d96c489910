"""Recipients' addresses are what Anymail would have parsed (C2)."""

from __future__ import annotations

import pytest
from anymail.exceptions import AnymailInvalidAddress
from anymail.utils import parse_address_list

from newsletter.transport.esp.payloads import addresses


@pytest.mark.parametrize(
    "text",
    [
        "ala@mail.example",
        "Ala.Kowalska+news@Mail.Example",
        "o'neill@xn--e1afmkfd.example",
        "!#$%&'*+-/=?^_`{|}~@mail.example",
        '"ala kowalska"@mail.example',
        '"ala@home"@mail.example',
        "a" * 64 + "@mail.example",
    ],
)
def test_an_address_is_what_anymail_parses(text: str) -> None:
    [ours], [theirs] = addresses([text]), parse_address_list([text])
    assert (ours.addr_spec, ours.username, ours.domain, ours.address) == (
        theirs.addr_spec,
        theirs.username,
        theirs.domain,
        theirs.address,
    )


@pytest.mark.parametrize("text", ["ala", "ala@", "@mail.example", "ala@mail.example>"])
def test_no_address_is_refused_as_by_anymail(text: str) -> None:
    with pytest.raises(AnymailInvalidAddress):
        parse_address_list([text])
    with pytest.raises(AnymailInvalidAddress):
        addresses([text])
