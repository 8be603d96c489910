"""Slips of the finger in the domain of an address: "did you mean gmail.com?" Pure."""

from __future__ import annotations

_NAMES = """
    aol.com bk.ru fastmail.com gmail.com googlemail.com gmx.at gmx.ch gmx.com gmx.de gmx.net
    hotmail.com i.ua icloud.com inbox.lv inbox.ru interia.pl list.ru live.com mail.com mail.ru
    me.com meta.ua msn.com o2.pl onet.pl outlook.com proton.me protonmail.com rambler.ru riseup.net
    seznam.cz tut.by tuta.io tutanota.com ukr.net web.de wp.pl ya.ru yahoo.com yandex.by yandex.com
    yandex.kz yandex.ru ymail.com
"""
COMMON = frozenset(_NAMES.split())
"""The large public providers here and around."""

SHORTEST = 7
"""A shorter domain has too many honest neighbours."""


def suggestion(domain: str) -> str | None:
    """The large provider's domain that this one misses by one slip; None where it is one itself,
    or is near none. A slip is a letter too many, too few, another, or two in the wrong order."""
    if domain in COMMON:
        return None
    near = (each for each in sorted(COMMON) if len(each) >= SHORTEST and _one_slip(domain, each))
    return next(near, None)


def _one_slip(typed: str, wanted: str) -> bool:
    start = 0
    while start < min(len(typed), len(wanted)) and typed[start] == wanted[start]:
        start += 1
    one, other = typed[start:], wanted[start:]
    return (
        one[1:] == other[1:]
        or one[1:] == other
        or one == other[1:]
        or (one[:2] == other[1::-1] and one[2:] == other[2:] and len(other) >= 2)
    )
