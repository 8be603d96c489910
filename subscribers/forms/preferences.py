"""The preferences form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from newsletter.digest.dates import weekday_name
from newsletter.editorial.models import Newsletter, Topic
from newsletter.lib.languages import language_name, language_name_in
from newsletter.lib.text_fields import TextForm
from subscribers.discreet_domain import add_discreet_field
from subscribers.models import Subscription

LONGEST_PAUSE = timedelta(days=366)
COLUMNS = (
    "content",
    "pictures",
    "plain_text",
    "discreet",
    "frequency",
    "preferred_hour",
    "paused_until",
)
"""The columns of a subscription that are fields of the form."""


class PreferencesForm(TextForm):
    """The preferences of one subscription. The order of languages is one drop-down list per
    position, which works without JavaScript, with a keyboard and on a phone."""

    content = forms.ChoiceField(
        label=_("Content of each email"),
        choices=Subscription.Content.choices,
        required=False,
        widget=forms.RadioSelect,
    )
    pictures = forms.BooleanField(label=_("With pictures"), required=False)
    plain_text = forms.BooleanField(label=_("Plain text only"), required=False)
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
    paused_until = forms.DateField(
        label=_("Pause until"),
        required=False,
        help_text=_("You won’t get any emails before this day. Leave it empty for no pause."),
        error_messages={"invalid": _("Enter a date such as 2030-01-31.")},
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
    )

    def __init__(
        self, subscription: Subscription, language: str, data: Mapping[str, Any] | None = None
    ) -> None:
        initial = {
            **forms.model_to_dict(subscription, COLUMNS),
            "topics": list(subscription.topics or []),
            "page_language": subscription.subscriber.language,
        }
        super().__init__(data, auto_id="preferences_%s", initial=initial)
        self.subscription = subscription
        self.language = language
        self._add_language_fields(subscription)
        self._add_fields_with_choices(subscription.newsletter)
        add_discreet_field(self)

    def _add_fields_with_choices(self, newsletter: Newsletter) -> None:
        topics = Topic.objects.filter(newsletter=newsletter).prefetch_related("translations")
        chain = newsletter.chain_for(self.language)
        self.fields["topics"] = forms.TypedMultipleChoiceField(
            label=_("Topics"),
            choices=[(topic.pk, topic.name_in(chain)) for topic in topics],
            coerce=int,
            required=False,
            widget=forms.CheckboxSelectMultiple,
            help_text=_("If you don’t choose any, you get all of them, including new ones."),
            error_messages={"invalid_choice": _("Topic not found.")},
        )
        self.fields["preferred_hour"] = forms.TypedChoiceField(
            label=_("Delivery time"),
            choices=_hour_choices(newsletter, self.language),
            coerce=int,
            empty_value=None,
            required=False,
            help_text=_hour_help(newsletter),
        )
        self.fields["page_language"] = forms.ChoiceField(
            label=_("Language of pages and emails"), choices=settings.LANGUAGES
        )

    def _add_language_fields(self, subscription: Subscription) -> None:
        codes = list(dict.fromkeys([*subscription.newsletter.languages, *subscription.languages]))
        names = [(code, language_name(code)) for code in codes]
        chosen = dict(enumerate(subscription.languages))
        for position, _code in enumerate(codes):
            label = _("First language") if position == 0 else _("If not available, then")
            self.fields[f"language_{position}"] = forms.ChoiceField(
                label=label if position < 2 else _("Then"),
                choices=names if position == 0 else [("", "—"), *names],
                required=position == 0,
                initial=chosen.get(position, ""),
                error_messages={
                    "required": _("Choose at least one language."),
                    "invalid_choice": _("The newsletter isn’t available in this language."),
                },
            )

    @property
    def moved_position(self) -> int:
        """The position whose “Move up” button was pressed, or 0 if none was."""
        value = str(self.data.get("up", ""))
        return int(value) if value.isdecimal() and int(value) < len(self.language_fields) else 0

    @property
    def language_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith("language_")]

    @property
    def language_rows(self) -> list[tuple[forms.BoundField, str]]:
        """Each language field with the chosen language's name, for its “Move … up” button."""
        return [
            (field, language_name_in(field.value(), self.language) if field.value() else "")
            for field in self.language_fields
        ]

    def clean_frequency(self) -> str:
        return self.cleaned_data["frequency"] or self.subscription.frequency

    def clean_paused_until(self) -> date | None:
        """Return None for a pause that is over."""
        until: date | None = self.cleaned_data["paused_until"]
        today = timezone.now().date()
        if until and until <= today:
            if until != self.subscription.paused_until:
                raise ValidationError(_("This day has passed. Choose a later one."))
            return None
        if until and until > today + LONGEST_PAUSE:
            raise ValidationError(_("A pause can last up to a year. You can also unsubscribe."))
        return until

    def columns(self) -> dict[str, Any]:
        """Return the subscription's new column values, after `is_valid`."""
        data = self.cleaned_data
        languages = [data[field.name] for field in self.language_fields]
        if position := self.moved_position:
            languages.insert(position - 1, languages.pop(position))
        return {
            **{name: data[name] for name in COLUMNS if name in data},
            "languages": reordered(languages, self.subscription.languages),
            "topics": frozenset(data["topics"]) or None,
        }


def _hour_choices(newsletter: Newsletter, language: str) -> list[tuple[str, str]]:
    """Return the delivery times as (value, label): as soon as it's sent, then each hour."""
    as_sent = gettext("As soon as it’s sent")
    if newsletter.schedule_active:
        as_sent = gettext("As soon as it’s sent: %(weekday)s, around %(time)s") % {
            "weekday": weekday_name(newsletter.weekday, language),
            "time": newsletter.time.strftime("%H:%M"),
        }
    return [("", as_sent), *((str(hour), f"{hour:02d}:00") for hour in range(24))]


def _hour_help(newsletter: Newsletter) -> str:
    """Return the help text that names the time zone, as a reader may live in another one."""
    return gettext(
        "In the time zone %(zone)s, where it is now %(time)s. You get each issue at this time, "
        "at most a day after it is sent."
    ) % {
        "zone": newsletter.timezone,
        "time": timezone.now().astimezone(ZoneInfo(newsletter.timezone)).strftime("%H:%M"),
    }


def reordered(chosen: Sequence[str], before: Sequence[str]) -> tuple[str, ...]:
    """Return the chain from the language chosen for each place ("" for none) and the chain before.

    Where a language was put in one place and still stands in another, the two places change
    languages, so a reader who puts their second language first doesn't lose the other. Pure.
    """
    places = list(chosen)
    old = [*before, *[""] * (len(places) - len(before))]
    for later, code in enumerate(chosen):
        earlier = places.index(code) if code in places else later
        if code and earlier < later and places[later] == code:
            if code == old[later]:
                places[later] = old[earlier]
            elif code == old[earlier]:
                places[earlier] = old[later]
    return tuple(dict.fromkeys(code for code in places if code))
