"""Check and normalise email addresses (B5)."""

from __future__ import annotations

import string
import unicodedata
from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy as _
from email_validator import EmailNotValidError, validate_email

from newsletter.lib.characters import UnfitCharacterError, one_line
from newsletter.lib.text_fields import explain_without_text

MAX_LENGTH = 254
INVISIBLE = (
    "\u00a0\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\x85\u2028\u2029"
    "\u202a\u202b\u202c\u2066\u2067\u2068\u2069"
)
"""Characters that web pages and address books put around an address, and that nobody sees."""


@dataclass(frozen=True)
class Address:
    """A valid address. The repr hides it, because it ends up in logs. `local` is as typed; `domain`
    is in lower-case ACE form (IDNA 2008, UTS-46)."""

    local: str = field(repr=False)
    domain: str = field(repr=False)

    @property
    def email(self) -> str:
        """The address to which email is sent."""
        return f"{self.local}@{self.domain}"

    @property
    def key(self) -> str:
        """The form in which addresses are compared. Dots and +tags count; case doesn't."""
        return f"{self.local.lower()}@{self.domain}"


def parse_stored(email: str) -> Address:
    """Parse an address that was stored as `Address.email`."""
    local, _at, domain = email.rpartition("@")
    return Address(local, domain)


class AddressError(ValueError):
    """The address can't be used. The message says why, translated, without repeating it."""


def normalise(text: str) -> Address:
    """Parse an address as a person types or pastes it. Raises AddressError."""
    try:
        text = as_typed(text)
    except UnfitCharacterError as error:
        raise AddressError(explain_without_text(error)) from None
    _check_for_common_mistakes(text)
    try:
        found = validate_email(text, check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError:
        # The library's own message is in English and quotes the address.
        raise AddressError(_("This doesn’t look like an email address. Please check it.")) from None
    return Address(found.local_part, str(found.ascii_domain).lower())


def as_typed(text: str) -> str:
    """Return the text without what may be pasted around an address: spaces, invisible characters.

    Inside an address they stay, to be refused: what they hide may not be what the reader meant.
    Raises UnfitCharacterError.
    """
    kept = one_line(text)
    inner = unicodedata.normalize("NFC", text.strip(f"{string.whitespace}{INVISIBLE}"))
    return kept if kept == inner else inner


def _check_for_common_mistakes(text: str) -> None:
    """Raise AddressError with a specific message for the mistakes that people make."""
    local, at, domain = text.rpartition("@")
    if not text:
        raise AddressError(_("Enter your email address."))
    if len(text) > MAX_LENGTH:
        raise AddressError(_("This address is too long. The limit is 254 characters."))
    if not at:
        raise AddressError(_("An email address needs an @, as in name@example.org."))
    if "@" in local:
        raise AddressError(_("There is more than one @. Enter a single address."))
    if not local or not domain:
        raise AddressError(_("Something is missing before or after the @."))
    if not local.isascii():
        raise AddressError(_("The part before the @ may only contain Latin letters."))


# --- Mailbox providers ------------------------------------------------------------------------
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
    """Return the provider of a domain (lower-case ACE), or "" if it isn't one of the large ones.

    It is stored with a subscription so that a mailing can be paced for each provider. The name of
    a small provider could identify a reader, so it isn't stored.
    """
    return _OF_DOMAIN.get(domain, "")
