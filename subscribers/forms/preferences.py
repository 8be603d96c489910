"""The forms that readers fill: the subscription box, and their choices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from newsletter.digest.dates import weekday_name
from newsletter.editorial.models import Newsletter, Topic
from newsletter.lib.fields import join_chain, split_chain
from newsletter.lib.languages import language_name
from subscribers.consent import consent_text, promise_of
from subscribers.discreet_domain import is_configured
from subscribers.forms.address import AddressForm
from subscribers.forms.chains import chain_of, reordered
from subscribers.models import Subscription

LONGEST_PAUSE = timedelta(days=366)


class SubscribeForm(AddressForm):
    """The box on the site."""

    newsletter = forms.SlugField(widget=forms.HiddenInput)
    choices = forms.MultipleChoiceField(
        label=_("Languages"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("Choose at least one."),
            "invalid_choice": _("The newsletter isn’t available in this language."),
        },
    )

    def __init__(
        self, newsletter: Newsletter, language: str, data: Mapping[str, Any] | None = None
    ) -> None:
        offers = _offers(newsletter)
        chosen = [value for value, _label in offers if language in split_chain(value)]
        super().__init__(
            data,
            auto_id="subscribe_%s",
            initial={
                "newsletter": newsletter.slug,
                "choices": chosen[:1] or [offers[0][0]],
            },
        )
        self.instance = newsletter
        self.language = language
        _choose(self.fields["choices"], offers)
        _offer_discretion(self)

    # What only a page needs is looked up by the page: a POST that is let in does without.
    @property
    def newsletter_name(self) -> str:
        return self.instance.name_in(self.language)

    @property
    def promise(self) -> str:
        return promise_of(self.instance, self.language)

    @property
    def wording(self) -> str:
        return consent_text(self.instance, self.language)

    @property
    def action(self) -> str:
        return reverse("subscribers:subscribe")

    @property
    def chain(self) -> tuple[str, ...]:
        """The languages that were chosen; after `is_valid`."""
        chosen = self.cleaned_data["choices"]
        in_order = [
            split_chain(value) for value, _label in _offers(self.instance) if value in chosen
        ]
        return chain_of(in_order, self.language)


def subscribe_form(
    newsletter: Newsletter, language: str, data: Mapping[str, Any] | None = None
) -> SubscribeForm:
    """The box for a newsletter, in the page's language; `data` is what was posted."""
    return SubscribeForm(newsletter, language, data)


class EmbeddedForm(SubscribeForm):
    """The box on somebody else's page: no cookie, so no CSRF token (B7).

    A form in a page's own HTML needs no more than an address: without a stamp it has the stricter
    limit, and without choices the first one of the page's language.
    """

    is_embedded = True

    def __init__(
        self, newsletter: Newsletter, language: str, data: QueryDict | None = None
    ) -> None:
        super().__init__(newsletter, language, data)
        self.fields["newsletter"].required = False
        if data is not None and "stamp" not in data and "choices" not in data:
            data = data.copy()
            data.setlist("choices", self.initial["choices"])
            self.data = data

    def submitted_too_fast(self) -> bool:
        return "stamp" in self.data and super().submitted_too_fast()

    @property
    def action(self) -> str:
        return reverse("subscribers:embedded", args=[self.instance.slug])


class LinkForm(AddressForm):
    """Asks for a link to one's choices by e-mail."""

    is_for_mail = False

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id="link_%s")

    @property
    def action(self) -> str:
        return reverse("subscribers:link")


class ChangeAddressForm(AddressForm):
    """The address to move to. The link it is behind keeps machines out."""

    website = None  # type: ignore[assignment]

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id="change_%s")
        self.fields["email"].label = _("Your new email address")


class PreferencesForm(forms.Form):
    """A reader's choices. The order of languages is one list per place: it needs no JavaScript,
    and every keyboard and phone has a way to choose from a list."""

    content = forms.ChoiceField(
        label=_("Content of each email"),
        choices=Subscription.Content.choices,
        required=False,
        widget=forms.RadioSelect,
    )
    topics = forms.MultipleChoiceField(
        label=_("Topics"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("If you don’t choose any, you get all of them, including new ones."),
        error_messages={"invalid_choice": _("Topic not found.")},
    )
    pictures = forms.BooleanField(label=_("With pictures"), required=False)
    plain_text = forms.BooleanField(label=_("Plain text only"), required=False)
    page_language = forms.ChoiceField(label=_("Language of pages and emails"))
    frequency = forms.ChoiceField(
        label=_("How often"),
        required=False,
        widget=forms.RadioSelect,
        choices=[
            (Subscription.Frequency.WEEKLY, _("Every week")),
            (Subscription.Frequency.MONTHLY, _("Once a month: headlines and leads in one email")),
        ],
        help_text=_("Changes apply from the next email."),
    )
    preferred_hour = forms.TypedChoiceField(
        label=_("Delivery time"),
        required=False,
        coerce=int,
        empty_value=None,
    )
    paused_until = forms.DateField(
        label=_("Pause until"),
        required=False,
        help_text=_("You won’t get any emails before this day. Leave it empty for no pause."),
        error_messages={"invalid": _("Enter a date such as 2030-01-31.")},
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
    )

    def __init__(
        self,
        subscription: Subscription,
        *,
        site_languages: Iterable[tuple[str, str]],
        language: str,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, auto_id="preferences_%s", initial=_current(subscription))
        self.subscription = subscription
        self.language = language
        self._add_places(subscription)
        _choose(self.fields["topics"], _topics(subscription.newsletter, language))
        _choose(self.fields["page_language"], list(site_languages))
        _choose(self.fields["preferred_hour"], _hours(subscription.newsletter, language))
        self.fields["preferred_hour"].help_text = _clock(subscription.newsletter)
        _offer_discretion(self)

    def _add_places(self, subscription: Subscription) -> None:
        codes = list(dict.fromkeys([*subscription.newsletter.languages, *subscription.languages]))
        names = [(code, language_name(code)) for code in codes]
        for place, _code in enumerate(codes):
            label = _("First language") if place == 0 else _("If not available, then")
            self.fields[f"language_{place}"] = forms.ChoiceField(
                label=label if place < 2 else _("Then"),
                choices=names if place == 0 else [("", "—"), *names],
                required=place == 0,
                initial=subscription.languages[place]
                if place < len(subscription.languages)
                else "",
                error_messages={
                    "required": _("Choose at least one language."),
                    "invalid_choice": _("The newsletter isn’t available in this language."),
                },
            )

    @property
    def moved_up(self) -> int:
        """The place whose language was moved up by its button; 0 where none was."""
        given = str(self.data.get("up", ""))
        return int(given) if given.isdecimal() and int(given) < len(self.places) else 0

    @property
    def places(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith("language_")]

    def clean_paused_until(self) -> Any:
        until = self.cleaned_data["paused_until"]
        today = timezone.now().date()
        if until and until <= today and until != self.subscription.paused_until:
            raise ValidationError(_("This day has passed. Choose a later one."))
        if until and until > today + LONGEST_PAUSE:
            raise ValidationError(_("A pause can last up to a year. You can also unsubscribe."))
        return until

    def choices(self) -> dict[str, Any]:
        """Subscription's columns as they shall be; after `is_valid`."""
        data = self.cleaned_data
        until = data["paused_until"]
        chosen = [data[place.name] for place in self.places]
        if place := self.moved_up:
            chosen[place - 1], chosen[place] = chosen[place], chosen[place - 1]
        chain = reordered(chosen, self.subscription.languages)
        paused = until and until > timezone.now().date()
        return {
            "languages": chain,
            "topics": frozenset(map(int, data["topics"])) or None,
            "content": data["content"],
            "pictures": data["pictures"],
            "plain_text": data["plain_text"],
            "discreet": data.get("discreet", self.subscription.discreet),
            "frequency": data["frequency"] or self.subscription.frequency,
            "preferred_hour": data["preferred_hour"],
            "paused_until": until if paused else None,
        }


def _offers(newsletter: Newsletter) -> list[tuple[str, str]]:
    """The choices as (value, label): ("be,ru", "BE/RU")."""
    choices: list[dict[str, Any]] = newsletter.choices
    return [(join_chain(choice["languages"]), choice["label"]) for choice in choices] or [
        (code, language_name(code)) for code in newsletter.languages
    ]


def _offer_discretion(form: forms.Form) -> None:
    """The box for it, where the newsroom has a neutral domain."""
    if is_configured():
        form.fields["discreet"] = forms.BooleanField(
            label=_("Discreet emails"),
            required=False,
            help_text=_(
                "The sender, subject and links don’t mention us, and there are no pictures. "
                "The articles are the same."
            ),
        )


def _current(subscription: Subscription) -> dict[str, Any]:
    return {
        "content": subscription.content,
        "topics": sorted(map(str, subscription.topics or [])),
        "pictures": subscription.pictures,
        "plain_text": subscription.plain_text,
        "discreet": subscription.discreet,
        "page_language": subscription.subscriber.language,
        "frequency": subscription.frequency,
        "preferred_hour": subscription.preferred_hour,
        "paused_until": subscription.paused_until,
    }


def _hours(newsletter: Newsletter, language: str) -> list[tuple[str, str]]:
    """No wish, and what that means; then each hour of the day."""
    with_everyone = gettext("As soon as it’s sent")
    if newsletter.schedule_active:
        with_everyone = gettext("As soon as it’s sent: %(weekday)s, around %(time)s") % {
            "weekday": weekday_name(newsletter.weekday, language),
            "time": newsletter.time.strftime("%H:%M"),
        }
    return [("", with_everyone), *((str(hour), f"{hour:02d}:00") for hour in range(24))]


def _clock(newsletter: Newsletter) -> str:
    """Whose hours these are, so that it is plain from any other place."""
    return gettext(
        "In the time zone %(zone)s, where it is now %(time)s. You get each issue at this time, "
        "at most a day after it is sent."
    ) % {
        "zone": newsletter.timezone,
        "time": timezone.now().astimezone(ZoneInfo(newsletter.timezone)).strftime("%H:%M"),
    }


def _topics(newsletter: Newsletter, language: str) -> list[tuple[str, str]]:
    topics = Topic.objects.filter(newsletter=newsletter).prefetch_related("translations")
    chain = newsletter.chain_for(language)
    return [(str(topic.pk), topic.name_in(chain)) for topic in topics]


def _choose(field: forms.Field, choices: list[tuple[str, str]]) -> None:
    cast(forms.ChoiceField, field).choices = choices
