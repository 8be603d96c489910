"""The limits in a transport's URL, and which mailbox provider a domain belongs to."""

from __future__ import annotations

import pytest

from newsletter.lib.environment import split_transports
from newsletter.transport.base import TransportURLError
from newsletter.transport.pace.limits import Limits, Rate, WarmUp
from newsletter.transport.pace.mailbox_providers import group_of
from newsletter.transport.registry import from_url
from newsletter.transport.url import parse


def limits(options: str) -> Limits:
    return parse(f"anymail+mailgun://?{options}").limits


def test_rates_of_all_units_can_be_joined() -> None:
    assert limits("rate=50000/d,14/s").rates == (Rate(14, 1), Rate(50_000, 86_400))
    assert limits("rate=5000/h").allowances == (Rate(5_000, 3_600),)
    assert limits("calls=2/s").calls == (Rate(2, 1),)
    assert limits("warmup=500/d*1.5").warm_up == WarmUp(500, 1.5)


def test_a_provider_is_named_by_any_of_its_domains() -> None:
    assert limits("rate.googlemail.com=20/m").groups == {"gmail.com": (Rate(20, 60),)}


@pytest.mark.parametrize(
    ("address", "group"),
    [
        ("a@googlemail.com", "gmail.com"),
        ("a@GMail.com", "gmail.com"),
        ("a@hotmail.co.uk", "outlook.com"),
        ("a@msn.com", "outlook.com"),
        ("a@ymail.com", "yahoo.com"),
        ("a@ya.ru", "yandex.ru"),
        ("a@bk.ru", "mail.ru"),
        ("a@internet.ru", "mail.ru"),
        ("a@tut.by", "tut.by"),
        ("a@news.example", "news.example"),
    ],
)
def test_the_group_of_an_address(address: str, group: str) -> None:
    assert group_of(address) == group


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("rate=14", "rate must be a number and a unit, such as 14/s"),
        ("rate=0/s", "must be a number and a unit"),
        ("rate=14/w", "must be a number and a unit"),
        ("rate=1.5/s", "must be a number and a unit"),
        ("rate=", None),
        ("rate=14/s,20/s", "two limits with the unit /s"),
        ("calls=100/h", "only rate can have /h and /d"),
        ("rate.gmail.com=100/d", "only rate can have /h and /d"),
        ("rate.gmail=1/s", "write the domain after “rate.”"),
        ("rate.gmail.com=1/s&rate.googlemail.com=2/s", "limits the same mailbox provider"),
        ("warmup=500/d", "the first day's limit and a factor above 1"),
        ("warmup=500/d*1", "a factor above 1"),
        ("warmup=500/h*2", "the first day's limit"),
    ],
)
def test_a_mistake_is_explained(options: str, reason: str | None) -> None:
    if reason is None:
        assert limits(options) == Limits()
        return
    with pytest.raises(TransportURLError, match=reason) as raised:
        limits(options)
    assert str(raised.value).startswith("anymail+mailgun: ")


@pytest.mark.parametrize(
    "url",
    [
        "smtp://127.0.0.1?rate=14/s,50000/d&warmup=500/d*1.5&rate.gmail.com=20/m&connections=2",
        "anymail+mailgun://?api_key=k&sender_domain=m.example&rate=14/s&calls=2/s",
        "memory://limited?rate=14/s",
    ],
)
def test_every_transport_has_these_options(url: str) -> None:
    transport = from_url(url)
    assert Rate(14, 1) in transport.pace.limits.rates
    assert transport.pace.limits.describe()["rate"].startswith("14/s")


def test_calls_are_only_a_providers() -> None:
    with pytest.raises(TransportURLError, match="use rate"):
        from_url("smtp://127.0.0.1?calls=2/s")


def test_rates_joined_by_a_comma_stay_in_their_url() -> None:
    urls = ["smtp://a.example?rate=14/s,5000/h,9/d&connections=2", "memory://x"]
    assert split_transports(", ".join(urls)) == urls
    assert split_transports("smtp://a.example, 14/x") == ["smtp://a.example", "14/x"]


def test_a_warm_up_grows_with_each_day_of_sending() -> None:
    warm_up = WarmUp(500, 1.5)
    assert [warm_up.on_day(day) for day in range(4)] == [500, 750, 1125, 1687]
    assert warm_up.on_day(10_000) == 10**9
