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

from newsletter.digest.press import print_letter
from newsletter.editorial.content import newsletter_content
from newsletter.lib.languages import own_name
from newsletter.lib.places import Place
from newsletter.transport.outcomes import Image, Mail
from subscribers import discretion, links
from subscribers.models import Letter, Subscription
from subscribers.moving import subscription_of_change
from subscribers.suppression import is_suppressed

State = Subscription.State
ANY = frozenset(State)
_NEEDED = {
    Letter.Kind.CONFIRMATION: frozenset({State.PENDING}),
    # Who left can still see what is held of them, and have it erased.
    Letter.Kind.LINK: ANY,
    Letter.Kind.CHANGE: ANY,
}
"""The states in which a letter is still wanted; of other kinds, while it is active."""


@dataclass(frozen=True)
class Words:
    """A letter's words, all plain text. `button` is its words and its URL."""

    subject: str
    heading: str
    paragraphs: tuple[str, ...]
    button: tuple[str, str] | None
    foot: tuple[str, ...]


class LetterError(Exception):
    """A letter that cannot be written, or that the reader should not get any more; the text names
    only ids."""


def write(letter: Letter) -> Mail:
    """The mail of a letter of any kind but ISSUE.

    `places` fills its places. Raises LetterError where its subscription is gone, has been confirmed
    or ended meanwhile, or its address is suppressed.
    """
    subscription = subscription_of(letter)
    _refuse_the_unwanted(letter, subscription)
    language = subscription.subscriber.language
    newsletter = subscription.newsletter
    with translation.override(language):
        words = _words(letter, subscription)
        content = newsletter_content(newsletter)
        if subscription.discreet:
            content = discretion.letterhead(content)
        rendered = print_letter(
            content,
            language=language,
            subject=words.subject,
            heading=words.heading,
            paragraphs=words.paragraphs,
            button=words.button,
            foot=words.foot,
        )
    own = newsletter.sender_name_in(language)
    return Mail(
        from_name=discretion.name_of(own, discreet=subscription.discreet),
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


def subscription_of(letter: Letter) -> Subscription:
    """The subscription that a letter is about, with its reader. Raises LetterError if gone."""
    if letter.kind == Letter.Kind.CHANGE:
        asking = subscription_of_change(letter)
        if asking is None:
            raise LetterError(f"letter {letter.pk}: nobody asks for the change any more")
        return asking
    found = (
        Subscription.objects.select_related("subscriber", "newsletter")
        .filter(subscriber=letter.subscriber_id, newsletter=letter.newsletter_id)
        .first()
    )
    if found is None:
        raise LetterError(f"letter {letter.pk}: there is no such subscription")
    return found


def places(letter: Letter) -> dict[str, str]:
    """What fills the letter's places. A letter to an address that nobody confirmed yet holds
    nothing but the confirmation. Raises LetterError as `write` does."""
    subscription = subscription_of(letter)
    language = subscription.subscriber.language
    site = discretion.site_of(discreet=subscription.discreet)
    match letter.kind:
        case Letter.Kind.CHANGE:
            return {Place.CONFIRM.value: links.move_url(letter.pk, language, site=site)}
        case Letter.Kind.CONFIRMATION:
            return {Place.CONFIRM.value: links.confirm_url(subscription.pk, language, site=site)}
        case Letter.Kind.LINK:
            return {Place.FRESH.value: links.fresh_url(subscription.pk, language, site=site)}
    return {
        Place.UNSUBSCRIBE.value: links.one_click_url(subscription.pk, site=site),
        Place.PREFERENCES.value: links.preferences_url(subscription.pk, language, site=site),
    }


def _refuse_the_unwanted(letter: Letter, subscription: Subscription) -> None:
    """What it asks for must be open, and nothing forbid it, at the moment of sending."""
    needed = _NEEDED.get(Letter.Kind(letter.kind), {State.ACTIVE})
    if subscription.state not in needed:
        raise LetterError(f"letter {letter.pk}: the subscription is {subscription.state}")
    if is_suppressed(letter.subscriber):
        raise LetterError(f"letter {letter.pk}: the address is suppressed")


def _words(letter: Letter, subscription: Subscription) -> Words:
    kind = Letter.Kind(letter.kind)
    if kind not in _WRITERS:
        raise LetterError(f"letter {letter.pk}: {letter.kind} is not written here")
    own = subscription.newsletter.name_in(subscription.subscriber.language)
    name = discretion.name_of(own, discreet=subscription.discreet)
    return _WRITERS[kind](name, _languages(subscription))


def _confirmation(name: str, languages: str) -> Words:
    return Words(
        subject=_("Please confirm: %(newsletter)s") % {"newsletter": name},
        heading=_("One more step"),
        paragraphs=(
            _(
                "Somebody, we hope it was you, entered this address on our site to get "
                "“%(newsletter)s” by e-mail. Languages: %(languages)s."
            )
            % {"newsletter": name, "languages": languages},
            _("If it was you, please confirm on the page that this button opens."),
        ),
        button=(_("To the confirmation"), Place.CONFIRM.url),
        foot=(
            _("The link works for 48 hours."),
            _("If it wasn't you, do nothing: you will get no more mail from us."),
        ),
    )


def _already(name: str, languages: str) -> Words:
    return Words(
        subject=_("You get it already: %(newsletter)s") % {"newsletter": name},
        heading=_("You are subscribed already"),
        paragraphs=(
            _(
                "Somebody, probably you, entered this address on our site to get "
                "“%(newsletter)s”. You get it already, in: %(languages)s. Nothing was changed."
            )
            % {"newsletter": name, "languages": languages},
            _("Other languages, topics, a pause? Change them here:"),
        ),
        button=(_("Your choices"), Place.PREFERENCES.url),
        foot=(
            _("If it wasn't you, there is nothing to do."),
            _("To leave: %(url)s") % {"url": Place.UNSUBSCRIBE.url},
        ),
    )


def _link(name: str, _languages: str) -> Words:
    return Words(
        subject=_("Your link: %(newsletter)s") % {"newsletter": name},
        heading=_("The link you asked for"),
        paragraphs=(
            _(
                "Here you change what you get, move to another address, see what we hold of you, "
                "or have it erased."
            ),
        ),
        button=(_("To your page"), Place.FRESH.url),
        foot=(
            _("The link works for four hours. Do not pass this mail on meanwhile."),
            _("If it wasn't you who asked, there is nothing to do."),
        ),
    )


def _change(name: str, _languages: str) -> Words:
    return Words(
        subject=_("Please confirm your new address: %(newsletter)s") % {"newsletter": name},
        heading=_("Your new address"),
        paragraphs=(
            _(
                "Somebody, we hope it was you, wants to get “%(newsletter)s” at this address, "
                "instead of another."
            )
            % {"newsletter": name},
            _("If it was you, please confirm on the page that this button opens."),
        ),
        button=(_("To the confirmation"), Place.CONFIRM.url),
        foot=(
            _("The link works for 48 hours."),
            _("If it wasn't you, do nothing: you will get no more mail from us."),
        ),
    )


_WRITERS: dict[Letter.Kind, Callable[[str, str], Words]] = {
    Letter.Kind.CONFIRMATION: _confirmation,
    Letter.Kind.ALREADY: _already,
    Letter.Kind.LINK: _link,
    Letter.Kind.CHANGE: _change,
}


def _languages(subscription: Subscription) -> str:
    return ", ".join(own_name(code) for code in subscription.languages)


def _image(cid: str, name: str, type_: str) -> Image:
    with default_storage.open(name, "rb") as file:
        return Image(cid, file.read(), type_)
