"""Write transactional emails when they are sent, in the reader's language (F4).

`write` returns an Email with placeholders; newsletter.delivery fills and sends it. The delivery app
writes emails of kind ISSUE itself, because they contain an edition.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.core.files.storage import default_storage
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrPromise

from newsletter.digest.render_service import render_transactional
from newsletter.editorial.content import newsletter_content
from newsletter.lib.languages import language_name_in
from newsletter.lib.placeholders import Placeholder
from newsletter.transport.outcomes import Email, Image
from subscribers import discreet_domain
from subscribers.links import reader_urls
from subscribers.links.tokens import LinkPurpose
from subscribers.models import Subscription, TransactionalEmail

State, Kind = Subscription.State, TransactionalEmail.Kind


class NotWantedError(Exception):
    """The email can't be written, or the reader shouldn't get it any more. The message contains
    only IDs."""


def write(email: TransactionalEmail) -> Email:
    """Write an email of any kind but ISSUE; `placeholder_values` fills its placeholders.

    Raises NotWantedError if its subscription is gone, was confirmed or ended since, or its address
    is suppressed.
    """
    subscription = subscription_of(email)
    texts = _texts_for(email, subscription)
    newsletter, discreet = subscription.newsletter, subscription.discreet
    language = subscription.subscriber.language
    values = {
        "newsletter": discreet_domain.name_of(newsletter.name_in(language), discreet=discreet),
        "languages": ", ".join(language_name_in(code, language) for code in subscription.languages),
        "url": Placeholder.UNSUBSCRIBE.url,
    }
    with translation.override(language):
        content = newsletter_content(newsletter)
        if discreet:
            content = discreet_domain.discreet_branding(content)
        label, placeholder = texts.button
        rendered = render_transactional(
            content,
            language=language,
            subject=texts.subject % values,
            heading=str(texts.heading),
            paragraphs=[text % values for text in texts.paragraphs],
            button=(str(label), placeholder.url),
            foot=[text % values for text in texts.foot],
            text_paragraphs=[text % values for text in texts.text_paragraphs],
        )
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
    """Return the URLs for an email's placeholders. Raises NotWantedError as `write` does. An email
    to an address that nobody has confirmed contains only the link that confirms it."""
    subscription = subscription_of(email)
    language = subscription.subscriber.language
    site = discreet_domain.site_of(discreet=subscription.discreet)

    def url(purpose: LinkPurpose, subject: int = subscription.pk) -> str:
        return reader_urls.url(purpose, subject, language, site=site)

    match email.kind:
        case Kind.CHANGE:
            return {Placeholder.CONFIRM.value: url(LinkPurpose.CHANGE_ADDRESS, email.pk)}
        case Kind.CONFIRMATION:
            return {Placeholder.CONFIRM.value: url(LinkPurpose.CONFIRM)}
        case Kind.LINK:
            return {Placeholder.ACCOUNT.value: url(LinkPurpose.ACCOUNT)}
    return {
        Placeholder.UNSUBSCRIBE.value: url(LinkPurpose.UNSUBSCRIBE),
        Placeholder.PREFERENCES.value: url(LinkPurpose.PREFERENCES),
    }


def _texts_for(email: TransactionalEmail, subscription: Subscription) -> _Texts:
    if email.kind not in _TEXTS:
        raise NotWantedError(f"email {email.pk}: {email.kind} is not written here")
    texts = _TEXTS[email.kind]
    if subscription.state not in texts.wanted_in:
        raise NotWantedError(f"email {email.pk}: the subscription is {subscription.state}")
    if email.subscriber.is_suppressed():
        raise NotWantedError(f"email {email.pk}: the address is suppressed")
    return texts


def _image(cid: str, name: str, type_: str) -> Image:
    with default_storage.open(name, "rb") as file:
        return Image(cid, file.read(), type_)


# --- Texts ------------------------------------------------------------------------------------
@dataclass(frozen=True)
class _Texts:
    """The texts of an email, all plain. `text_paragraphs` replace the paragraphs in the text part,
    if it can't say the same."""

    wanted_in: set[Subscription.State]
    subject: StrPromise
    heading: StrPromise
    paragraphs: tuple[StrPromise, ...]
    button: tuple[StrPromise, Placeholder]
    foot: tuple[StrPromise, ...]
    text_paragraphs: tuple[StrPromise, ...] = ()


_SIGNED_UP = _(
    "Someone (hopefully you) signed this address up for “%(newsletter)s”. Languages: %(languages)s."
)
_CHANGED = _(
    "Someone (hopefully you) asked us to send “%(newsletter)s” to this address instead of another."
)
_CONFIRMATION_FOOT = (
    _("The link works for 48 hours."),
    _("If it wasn’t you, ignore this email. You won’t hear from us again."),
)
_TEXTS: dict[str, _Texts] = {
    Kind.CONFIRMATION: _Texts(
        wanted_in={State.PENDING},
        subject=_("Please confirm: %(newsletter)s"),
        heading=_("One more step"),
        paragraphs=(
            _SIGNED_UP,
            _("If it was you, click the button and confirm on the page that opens."),
        ),
        text_paragraphs=(_SIGNED_UP, _("If it was you, confirm on the page at this address:")),
        button=(_("Confirm subscription"), Placeholder.CONFIRM),
        foot=_CONFIRMATION_FOOT,
    ),
    Kind.CHANGE: _Texts(
        wanted_in=set(State),
        subject=_("Please confirm your new address: %(newsletter)s"),
        heading=_("Your new address"),
        paragraphs=(
            _CHANGED,
            _(
                "If it was you, click the button and confirm your new address on the page "
                "that opens."
            ),
        ),
        text_paragraphs=(
            _CHANGED,
            _("If it was you, confirm the change on the page at this address:"),
        ),
        button=(_("Use this address"), Placeholder.CONFIRM),
        foot=_CONFIRMATION_FOOT,
    ),
    Kind.ALREADY: _Texts(
        wanted_in={State.ACTIVE},
        subject=_("You’re already subscribed to %(newsletter)s"),
        heading=_("You’re already subscribed"),
        paragraphs=(
            _(
                "Someone (probably you) signed this address up for “%(newsletter)s” again. "
                "You’re already subscribed, in: %(languages)s. Nothing has changed."
            ),
            _("Want other languages or topics, or a pause? Change your preferences here:"),
        ),
        button=(_("Preferences"), Placeholder.PREFERENCES),
        foot=(_("If it wasn’t you, you don’t need to do anything."), _("Unsubscribe: %(url)s")),
    ),
    # Former readers may see their data, and have it deleted.
    Kind.LINK: _Texts(
        wanted_in=set(State),
        subject=_("Your link: %(newsletter)s"),
        heading=_("The link you asked for"),
        paragraphs=(
            _(
                "Use it to change your preferences or your address, see the data we hold about "
                "you, or delete it."
            ),
        ),
        button=(_("Open your account page"), Placeholder.ACCOUNT),
        foot=(
            _("The link works for four hours. Don’t forward this email."),
            _("If you didn’t ask for this link, you don’t need to do anything."),
        ),
    ),
}
