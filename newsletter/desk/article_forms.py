"""The forms of an article's page: its facts, and its text in one language."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from newsletter.desk.fields import RichTextField
from newsletter.editorial.models import Article, ArticleTranslation, Newsletter
from newsletter.editorial.revisions import FIELDS
from newsletter.lib.languages import direction, language_name
from newsletter.lib.text_fields import LONGEST_BODY

SIDE_FIELDS = ("state", "slug", "correction")
"""Fields of the text form that stand in the side column."""
_ROWS = {"headline": 2, "lead": 4, "correction": 2}


class ArticleForm(forms.ModelForm[Article]):
    """An article's facts. The original language is chosen from the newsletters' languages."""

    opened_version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["opened_version"].initial = self.instance.version
        self._offer_languages()
        field = self.fields["published_at"]
        field.widget = forms.SplitDateTimeWidget(
            date_attrs={"type": "date", "aria-label": str(_("Date"))},
            time_attrs={"type": "time", "step": "60", "aria-label": str(_("Time"))},
            date_format="%Y-%m-%d",
            time_format="%H:%M",
        )
        field.help_text = _("Local time: %(zone)s.") % {
            "zone": timezone.get_current_timezone_name()
        }
        # Compare with the row: Django would ask for this because its default is a function.
        field.show_hidden_initial = False
        moment = self.get_initial_for_field(field, "published_at")
        if moment:
            # Browsers show no seconds.
            self.initial["published_at"] = moment.replace(second=0, microsecond=0)

    def _offer_languages(self) -> None:
        codes = [code for row in Newsletter.objects.all() for code in row.languages]
        codes += [self.instance.original_language] if self.instance.pk else []
        self.fields["original_language"] = forms.ChoiceField(
            label=self.fields["original_language"].label,
            choices=[(code, language_name(code)) for code in dict.fromkeys(codes)],
        )

    def clean_published_at(self) -> Any:
        is_changed = "published_at" in self.changed_data or not self.instance.pk
        return self.cleaned_data["published_at"] if is_changed else self.instance.published_at

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        newsletter = data.get("newsletter")
        for name in ("issue", "topic"):
            related = data.get(name)
            if newsletter and related and related.newsletter_id != newsletter.pk:
                self.add_error(name, _("This belongs to another newsletter."))
        original = data.get("original_language")
        if newsletter and original and original not in newsletter.languages:
            self.add_error("original_language", _("The newsletter doesn’t have this language."))
        if data.get("similar") and len(data["similar"]) > 3:
            self.add_error("similar", _("Choose up to three."))
        return data


class NewHeadlineForm(forms.ModelForm[ArticleTranslation]):
    """The headline of a new article, in its original language."""

    class Meta:
        model = ArticleTranslation
        fields = ("headline",)
        widgets: ClassVar = {"headline": forms.Textarea(attrs={"rows": 2, "autofocus": True})}


class TextForm(forms.ModelForm[ArticleTranslation]):
    """An article's text in one language, on top of revision `base` (0: a new translation)."""

    base = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    source = forms.IntegerField(widget=forms.HiddenInput, required=False)
    """The revision of the original that is shown beside the translation."""
    body = RichTextField(label=_("Text"), max_length=LONGEST_BODY, required=False)
    up_to_date = forms.BooleanField(label=_("Mark as up to date"), required=False)

    class Meta:
        model = ArticleTranslation
        fields = FIELDS
        widgets: ClassVar = {"headline": forms.Textarea, "state": forms.RadioSelect}

    def __init__(
        self, *args: Any, is_autosave: bool = False, may_publish: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if not may_publish:
            self._close_ready()
        if is_autosave:  # a state is chosen, not typed
            del self.fields["state"], self.fields["up_to_date"]
        for name in FIELDS:
            if name in self.fields:
                self._describe(name)
        for name in (*SIDE_FIELDS, "up_to_date"):
            if name in self.fields:
                self.fields[name].widget.attrs["form"] = "text"

    def _close_ready(self) -> None:
        """Leave "ready" to others. The state of a text that is ready stays as it is."""
        field: Any = self.fields["state"]
        if self.instance.is_ready:
            field.disabled = True
        else:
            ready = ArticleTranslation.State.READY
            field.choices = [choice for choice in field.choices if choice[0] != ready]

    def _describe(self, name: str) -> None:
        field = self.fields[name]
        field.label = capfirst(str(field.label))
        if name in _ROWS:
            field.widget.attrs |= {"rows": _ROWS[name], "cols": None}
        if name not in {"state", "slug"}:
            language = self.instance.language
            field.widget.attrs |= {"lang": language, "dir": direction(language)}
            field.widget.attrs["spellcheck"] = "true"
        if field.help_text:
            field.widget.attrs["aria-describedby"] = f"id_{name}_helptext"

    def clean_headline(self) -> str:
        return " ".join(str(self.cleaned_data["headline"]).split())

    def clean_slug(self) -> str:
        slug = str(self.cleaned_data["slug"])
        others = ArticleTranslation.objects.filter(language=self.instance.language, slug=slug)
        if slug and others.exclude(article=self.instance.article_id).exists():
            raise forms.ValidationError(_("Another article has this slug."))
        return slug

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        is_ready = data.get("state") == ArticleTranslation.State.READY
        if is_ready and not data.get("headline") and "headline" not in self.errors:
            self.add_error("headline", _("A ready text needs a headline."))
        return data

    def content(self) -> dict[str, str]:
        """Return the texts by field name, as `writing.save_text` takes them."""
        return {name: self.cleaned_data[name] for name in FIELDS if name in self.cleaned_data}
