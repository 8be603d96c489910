"""The texts of single mails, written when they are sent, in the reader's language (F4).

`write` gives a Mail with places; delivery fills them and hands it over. A Letter of kind ISSUE
is delivery's own: it holds an edition.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.core.files.storage import default_storage
from django.utils import translation
from django.utils.translation import gettext as _

from newsletter.digest.render_service import render_transactional
from newsletter.editorial.content import newsletter_content
from newsletter.lib.languages import language_name
from newsletter.lib.placeholders import Placeholder
from newsletter.transport.outcomes import Email, Image
from subscribers import discreet_domain
from subscribers.change_email import subscription_of_change
from subscribers.links import reader_urls
from subscribers.models import Subscription, TransactionalEmail
from subscribers.suppression import is_suppressed

State = Subscription.State
ANY = frozenset(State)
_NEEDED = {
    TransactionalEmail.Kind.CONFIRMATION: frozenset({State.PENDING}),
    # Who left can still see what is held of them, and have it erased.
    TransactionalEmail.Kind.LINK: ANY,
    TransactionalEmail.Kind.CHANGE: ANY,
}
"""The states in which a letter is still wanted; of other kinds, while it is active."""


@dataclass(frozen=True)
class EmailTexts:
    """A letter's words, all plain text. `button` is its words and its URL."""

    subject: str
    heading: str
    paragraphs: tuple[str, ...]
    button: tuple[str, str] | None
    foot: tuple[str, ...]


class NotWantedError(Exception):
    """A letter that cannot be written, or that the reader should not get any more; the text names
    only ids."""


def write(email: TransactionalEmail) -> Email:
    """The mail of a letter of any kind but ISSUE.

    `places` fills its places. Raises LetterError where its subscription is gone, has been confirmed
    or ended meanwhile, or its address is suppressed.
    """
    subscription = subscription_of(email)
    _refuse_the_unwanted(email, subscription)
    language = subscription.subscriber.language
    newsletter = subscription.newsletter
    with translation.override(language):
        words = _texts(email, subscription)
        content = newsletter_content(newsletter)
        if subscription.discreet:
            content = discreet_domain.discreet_branding(content)
        rendered = render_transactional(
            content,
            language=language,
            subject=words.subject,
            heading=words.heading,
            paragraphs=words.paragraphs,
            button=words.button,
            foot=words.foot,
        )
    own = newsletter.sender_name_in(language)
    return Email(
        from_name=discreet_domain.name_of(own, discreet=subscription.discreet),
        from_address=settings.DISCREET_SENDER
        if subscription.discreet
        else newsletter.sender_address,
        reply_to="" if subscription.discreet else newsletter.reply_to,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        headers=(("Auto-Submitted", "auto-generated"), ("Content-Language", language)),
        images=tuple(_image(each.cid, each.name, each.type) for each in rendered.images),
    )


def subscription_of(email: TransactionalEmail) -> Subscription:
    """The subscription that a letter is about, with its reader. Raises LetterError if gone."""
    if email.kind == TransactionalEmail.Kind.CHANGE:
        asking = subscription_of_change(email)
        if asking is None:
            raise NotWantedError(f"letter {email.pk}: nobody asks for the change any more")
        return asking
    found = (
        Subscription.objects.select_related("subscriber", "newsletter")
        .filter(subscriber=email.subscriber_id, newsletter=email.newsletter_id)
        .first()
    )
    if found is None:
        raise NotWantedError(f"letter {email.pk}: there is no such subscription")
    return found


def placeholder_values(email: TransactionalEmail) -> dict[str, str]:
    """What fills the letter's places. A letter to an address that nobody confirmed yet holds
    nothing but the confirmation. Raises LetterError as `write` does."""
    subscription = subscription_of(email)
    language = subscription.subscriber.language
    site = discreet_domain.site_of(discreet=subscription.discreet)
    match email.kind:
        case TransactionalEmail.Kind.CHANGE:
            return {
                Placeholder.CONFIRM.value: reader_urls.change_address_url(
                    email.pk, language, site=site
                )
            }
        case TransactionalEmail.Kind.CONFIRMATION:
            return {
                Placeholder.CONFIRM.value: reader_urls.confirm_url(
                    subscription.pk, language, site=site
                )
            }
        case TransactionalEmail.Kind.LINK:
            return {
                Placeholder.ACCOUNT.value: reader_urls.account_url(
                    subscription.pk, language, site=site
                )
            }
    return {
        Placeholder.UNSUBSCRIBE.value: reader_urls.one_click_url(subscription.pk, site=site),
        Placeholder.PREFERENCES.value: reader_urls.preferences_url(
            subscription.pk, language, site=site
        ),
    }


def _refuse_the_unwanted(email: TransactionalEmail, subscription: Subscription) -> None:
    """What it asks for must be open, and nothing forbid it, at the moment of sending."""
    needed = _NEEDED.get(TransactionalEmail.Kind(email.kind), {State.ACTIVE})
    if subscription.state not in needed:
        raise NotWantedError(f"letter {email.pk}: the subscription is {subscription.state}")
    if is_suppressed(email.subscriber):
        raise NotWantedError(f"letter {email.pk}: the address is suppressed")


def _texts(email: TransactionalEmail, subscription: Subscription) -> EmailTexts:
    kind = TransactionalEmail.Kind(email.kind)
    if kind not in _WRITERS:
        raise NotWantedError(f"letter {email.pk}: {email.kind} is not written here")
    own = subscription.newsletter.name_in(subscription.subscriber.language)
    name = discreet_domain.name_of(own, discreet=subscription.discreet)
    return _WRITERS[kind](name, _languages(subscription))


def _confirmation(name: str, languages: str) -> EmailTexts:
    return EmailTexts(
        subject=_("Please confirm: %(newsletter)s") % {"newsletter": name},
        heading=_("One more step"),
        paragraphs=(
            _(
                "Someone (hopefully you) signed this address up for “%(newsletter)s”. "
                "Languages: %(languages)s."
            )
            % {"newsletter": name, "languages": languages},
            _("If it was you, click the button and confirm on the page that opens."),
        ),
        button=(_("Confirm subscription"), Placeholder.CONFIRM.url),
        foot=(
            _("The link works for 48 hours."),
            _("If it wasn’t you, ignore this email. You won’t hear from us again."),
        ),
    )


def _already(name: str, languages: str) -> EmailTexts:
    return EmailTexts(
        subject=_("You’re already subscribed to %(newsletter)s") % {"newsletter": name},
        heading=_("You’re already subscribed"),
        paragraphs=(
            _(
                "Someone (probably you) signed this address up for “%(newsletter)s” again. "
                "You’re already subscribed, in: %(languages)s. Nothing has changed."
            )
            % {"newsletter": name, "languages": languages},
            _("Want other languages or topics, or a pause? Change your preferences here:"),
        ),
        button=(_("Preferences"), Placeholder.PREFERENCES.url),
        foot=(
            _("If it wasn’t you, you don’t need to do anything."),
            _("Unsubscribe: %(url)s") % {"url": Placeholder.UNSUBSCRIBE.url},
        ),
    )


def _link(name: str, _languages: str) -> EmailTexts:
    return EmailTexts(
        subject=_("Your link: %(newsletter)s") % {"newsletter": name},
        heading=_("The link you asked for"),
        paragraphs=(
            _(
                "Use it to change your preferences or your address, see the data we hold about "
                "you, or delete it."
            ),
        ),
        button=(_("Open your account page"), Placeholder.ACCOUNT.url),
        foot=(
            _("The link works for four hours. Don’t forward this email."),
            _("If you didn’t ask for this link, you don’t need to do anything."),
        ),
    )


def _change(name: str, _languages: str) -> EmailTexts:
    return EmailTexts(
        subject=_("Please confirm your new address: %(newsletter)s") % {"newsletter": name},
        heading=_("Your new address"),
        paragraphs=(
            _(
                "Someone (hopefully you) asked us to send “%(newsletter)s” to this address "
                "instead of another."
            )
            % {"newsletter": name},
            _("If it was you, click the button and confirm on the page that opens."),
        ),
        button=(_("Confirm subscription"), Placeholder.CONFIRM.url),
        foot=(
            _("The link works for 48 hours."),
            _("If it wasn’t you, ignore this email. You won’t hear from us again."),
        ),
    )


_WRITERS: dict[TransactionalEmail.Kind, Callable[[str, str], EmailTexts]] = {
    TransactionalEmail.Kind.CONFIRMATION: _confirmation,
    TransactionalEmail.Kind.ALREADY: _already,
    TransactionalEmail.Kind.LINK: _link,
    TransactionalEmail.Kind.CHANGE: _change,
}


def _languages(subscription: Subscription) -> str:
    return ", ".join(language_name(code) for code in subscription.languages)


def _image(cid: str, name: str, type_: str) -> Image:
    with default_storage.open(name, "rb") as file:
        return Image(cid, file.read(), type_)
