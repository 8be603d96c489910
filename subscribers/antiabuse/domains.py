"""Recognise mistyped (“Did you mean gmail.com?”) and disposable domains (B6). Pure."""

from __future__ import annotations

from collections.abc import Collection

_NAMES = """
    aol.com bk.ru fastmail.com gmail.com googlemail.com gmx.at gmx.ch gmx.com gmx.de gmx.net
    hotmail.com i.ua icloud.com inbox.lv inbox.ru interia.pl list.ru live.com mail.com mail.ru
    me.com meta.ua msn.com o2.pl onet.pl outlook.com proton.me protonmail.com rambler.ru riseup.net
    seznam.cz tut.by tuta.io tutanota.com ukr.net web.de wp.pl ya.ru yahoo.com yandex.by yandex.com
    yandex.kz yandex.ru ymail.com
"""
COMMON = frozenset(_NAMES.split())
"""The domains of large public providers, in the region and beyond."""

MIN_LENGTH = 7
"""Shorter domains resemble too many real ones."""


def suggestion(domain: str) -> str | None:
    """Return the large provider's domain that differs from this one by a single typo, or None. A
    typo is an extra, missing or wrong letter, or two neighbouring letters swapped."""
    if domain in COMMON:
        return None
    similar = (
        known for known in sorted(COMMON) if len(known) >= MIN_LENGTH and _one_typo(domain, known)
    )
    return next(similar, None)


def _one_typo(typed: str, intended: str) -> bool:
    start = 0
    while start < min(len(typed), len(intended)) and typed[start] == intended[start]:
        start += 1
    one, other = typed[start:], intended[start:]
    return (
        one[1:] == other[1:]
        or one[1:] == other
        or one == other[1:]
        or (one[:2] == other[1::-1] and one[2:] == other[2:] and len(other) >= 2)
    )


def is_disposable(domain: str, listed: Collection[str]) -> bool:
    """Return whether an ACE domain, or one of its parent domains, is in the operator's list."""
    parts = domain.split(".")
    return any(".".join(parts[start:]) in listed for start in range(len(parts) - 1))
