"""Only the large public mailbox providers are kept by name."""

from __future__ import annotations

import pytest

from subscribers.mailbox_providers import mailbox_provider_of
from subscribers.models import Subscription
from tests.subscribers.conftest import AddReader, Ask


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
def test_the_provider_of_a_domain(domain: str, name: str) -> None:
    assert mailbox_provider_of(domain) == name


def test_every_name_fits_its_column() -> None:
    from subscribers import mailbox_providers

    longest = Subscription._meta.get_field("mailbox_provider").max_length
    assert longest is not None
    assert all(len(name) <= longest for name in mailbox_providers._DOMAINS)


def test_it_is_kept_with_the_subscription(add_reader: AddReader, ask: Ask) -> None:
    assert add_reader(address="ala@gmail.com").mailbox_provider == "gmail"
    assert add_reader(address="ala@ministry.example").mailbox_provider == ""
    asked = ask(address="asked@mail.ru")
    assert asked is not None
    assert asked.mailbox_provider == "mailru"
