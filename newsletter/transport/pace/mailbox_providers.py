"""Which domains belong to one mailbox provider, so that they share its rate limit."""

from __future__ import annotations

_DOMAINS = {
    "gmail.com": "googlemail.com",
    "outlook.com": """
        hotmail.com live.com msn.com passport.com hotmail.co.uk hotmail.de hotmail.fr hotmail.it
        hotmail.es live.de live.fr live.it live.nl live.be live.co.uk live.se live.dk live.ru
        outlook.de outlook.fr outlook.es outlook.it outlook.be outlook.dk outlook.lv outlook.lt
    """,
    "yahoo.com": """
        ymail.com rocketmail.com yahoo.de yahoo.fr yahoo.it yahoo.es yahoo.co.uk yahoo.pl
        yahoo.ca yahoo.co.in yahoo.com.br aol.com aim.com myyahoo.com
    """,
    "yandex.ru": """
        ya.ru yandex.com yandex.by yandex.kz yandex.ua yandex.com.tr narod.ru
    """,
    "mail.ru": "bk.ru inbox.ru list.ru internet.ru xmail.ru",
    "rambler.ru": "lenta.ru autorambler.ru myrambler.ru ro.ru rambler.ua",
    "icloud.com": "me.com mac.com",
    "proton.me": "protonmail.com protonmail.ch pm.me",
    "gmx.net": "gmx.de gmx.at gmx.ch gmx.com web.de mail.com email.com",
    "wp.pl": "o2.pl tlen.pl go2.pl",
    "onet.pl": "op.pl vp.pl poczta.onet.pl onet.eu autograf.pl buziaczek.pl",
    "interia.pl": "interia.eu poczta.fm interia.com",
    "i.ua": "ua.fm email.ua",
    "orange.fr": "wanadoo.fr",
    "seznam.cz": "email.cz post.cz",
}
"""Maps a provider's best-known domain to its others."""

_GROUPS = {domain: name for name, others in _DOMAINS.items() for domain in (name, *others.split())}


def group_of_domain(domain: str) -> str:
    """Return the group of a domain; one that isn't in the table makes a separate group."""
    domain = domain.lower()
    return _GROUPS.get(domain, domain)


def group_of(address: str) -> str:
    """Return the group of an address's domain."""
    return group_of_domain(address.rpartition("@")[2])
