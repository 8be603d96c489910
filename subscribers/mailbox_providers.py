"""Which of the large public mailbox providers a domain belongs to, and nothing else.

Kept with a subscription so that a send-out can be paced for each of them. A small provider's name
would tell who somebody is, so it is not kept.
"""

from __future__ import annotations

_DOMAINS = {
    "gmail": "gmail.com googlemail.com",
    "outlook": "outlook.com hotmail.com live.com msn.com outlook.de outlook.fr hotmail.co.uk"
    " hotmail.fr hotmail.de live.co.uk live.fr",
    "yahoo": "yahoo.com ymail.com rocketmail.com yahoo.co.uk yahoo.de yahoo.fr aol.com",
    "icloud": "icloud.com me.com mac.com",
    "mailru": "mail.ru bk.ru list.ru inbox.ru internet.ru",
    "yandex": "yandex.ru ya.ru yandex.com yandex.by yandex.kz yandex.ua",
    "proton": "proton.me protonmail.com pm.me",
    "gmx": "gmx.de gmx.net gmx.com gmx.at gmx.ch web.de",
}
_OF_DOMAIN = {domain: name for name, domains in _DOMAINS.items() for domain in domains.split()}


def mailbox_provider_of(domain: str) -> str:
    """The provider's short name, or "" for all others; `domain` is lower-case ACE."""
    return _OF_DOMAIN.get(domain, "")
