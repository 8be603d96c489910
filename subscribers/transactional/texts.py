"""Write transactional emails when they are sent, in the reader's language (F4).

`write` returns an Email with placeholders; newsletter.delivery fills and sends it. The delivery app
writes emails of kind ISSUE itself, because they contain an edition.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

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
from subscribers.links import reader_urls
from subscribers.models import Subscription, TransactionalEmail

State, Kind = Subscription.State, TransactionalEmail.Kind


@dataclass(frozen=True)
class EmailTexts:
    """The texts of an email, all plain. `button` is its label and URL.

    `text_paragraphs` replace the paragraphs in the text part, if it can't say the same.
    """

    subject: str
    heading: str
    paragraphs: tuple[str, ...]
    button: tuple[str, str] | None
    foot: tuple[str, ...]
    text_paragraphs: tuple[str, ...] = ()


class NotWantedError(Exception):
    """The email can't be written, or the reader shouldn't get it any more. The message contains
    only IDs."""


def write(email: TransactionalEmail) -> Email:
    """Write an email of any kind but ISSUE; `placeholder_values` fills its placeholders.

    Raises NotWantedError if its subscription is gone, was confirmed or ended since, or its address
    is suppressed.
    """
    subscription = subscription_of(email)
    _require_wanted(email, subscription)
    newsletter, discreet = subscription.newsletter, subscription.discreet
    language = subscription.subscriber.language
    with translation.override(language):
        content = newsletter_content(newsletter)
        if discreet:
            content = discreet_domain.discreet_branding(content)
        texts = _texts(email, subscription)
        rendered = render_transactional(content, language=language, **asdict(texts))
    sender_name = newsletter.sender_name_in(language)
    return Email(
        from_name=discreet_domain.name_of(sender_name, discreet=discreet),
        from_address=settings.DISCREET_SENDER if discreet else newsletter.sender_address,
        reply_to="" if discreet else newsletter.reply_to,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        headers=(("Auto-Submitted", "auto-generated"), ("Content-Language", language)),
        images=tuple(_image(each.cid, each.name, each.type) for each in rendered.images),
    )


def subscription_of(email: TransactionalEmail) -> Subscription:
    """Return the subscription that an email is about. Raises NotWantedError if it's gone."""
    subscription = email.subscription()
    if subscription is None:
        raise NotWantedError(f"email {email.pk}: there is no such subscription")
    return subscription


def placeholder_values(email: TransactionalEmail) -> dict[str, str]:
    """Return the URLs for an email's placeholders. Raises NotWantedError as `write` does.

    An email to an address that nobody has confirmed contains only the link that confirms it.
    """
    subscription = subscription_of(email)
    pk, language = subscription.pk, subscription.subscriber.language
    site = discreet_domain.site_of(discreet=subscription.discreet)
    match email.kind:
        case Kind.CHANGE:
            url = reader_urls.change_address_url(email.pk, language, site=site)
            return {Placeholder.CONFIRM.value: url}
        case Kind.CONFIRMATION:
            return {Placeholder.CONFIRM.value: reader_urls.confirm_url(pk, language, site=site)}
        case Kind.LINK:
            return {Placeholder.ACCOUNT.value: reader_urls.account_url(pk, language, site=site)}
    return {
        Placeholder.UNSUBSCRIBE.value: reader_urls.one_click_url(pk, site=site),
        Placeholder.PREFERENCES.value: reader_urls.preferences_url(pk, language, site=site),
    }


def _require_wanted(email: TransactionalEmail, subscription: Subscription) -> None:
    match email.kind:
        case Kind.CONFIRMATION:
            wanted_in = {State.PENDING}
        case Kind.LINK | Kind.CHANGE:
            # Former readers may see their data, and have it deleted.
            wanted_in = set(State)
        case _:
            wanted_in = {State.ACTIVE}
    if subscription.state not in wanted_in:
        raise NotWantedError(f"email {email.pk}: the subscription is {subscription.state}")
    if email.subscriber.is_suppressed():
        raise NotWantedError(f"email {email.pk}: the address is suppressed")


def _texts(email: TransactionalEmail, subscription: Subscription) -> EmailTexts:
    write_texts = _WRITERS.get(email.kind)
    if write_texts is None:
        raise NotWantedError(f"email {email.pk}: {email.kind} is not written here")
    own = subscription.newsletter.name_in(subscription.subscriber.language)
    name = discreet_domain.name_of(own, discreet=subscription.discreet)
    return write_texts(name, ", ".join(map(language_name, subscription.languages)))


def _confirmation(name: str, languages: str) -> EmailTexts:
    request = _(
        "Someone (hopefully you) signed this address up for “%(newsletter)s”. "
        "Languages: %(languages)s."
    ) % {"newsletter": name, "languages": languages}
    return EmailTexts(
        subject=_("Please confirm: %(newsletter)s") % {"newsletter": name},
        heading=_("One more step"),
        paragraphs=(
            request,
            _("If it was you, click the button and confirm on the page that opens."),
        ),
        text_paragraphs=(request, _("If it was you, confirm on the page at this address:")),
        button=(_("Confirm subscription"), Placeholder.CONFIRM.url),
        foot=_confirmation_foot(),
    )


def _change(name: str, _languages: str) -> EmailTexts:
    request = _(
        "Someone (hopefully you) asked us to send “%(newsletter)s” to this address "
        "instead of another."
    ) % {"newsletter": name}
    return EmailTexts(
        subject=_("Please confirm your new address: %(newsletter)s") % {"newsletter": name},
        heading=_("Your new address"),
        paragraphs=(
            request,
            _(
                "If it was you, click the button and confirm your new address on the page "
                "that opens."
            ),
        ),
        text_paragraphs=(
            request,
            _("If it was you, confirm the change on the page at this address:"),
        ),
        button=(_("Use this address"), Placeholder.CONFIRM.url),
        foot=_confirmation_foot(),
    )


def _confirmation_foot() -> tuple[str, ...]:
    return (
        _("The link works for 48 hours."),
        _("If it wasn’t you, ignore this email. You won’t hear from us again."),
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


_WRITERS: dict[str, Callable[[str, str], EmailTexts]] = {
    Kind.CONFIRMATION: _confirmation,
    Kind.ALREADY: _already,
    Kind.LINK: _link,
    Kind.CHANGE: _change,
}


def _image(cid: str, name: str, type_: str) -> Image:
    with default_storage.open(name, "rb") as file:
        return Image(cid, file.read(), type_)
