"""The form of the issue's page: facts, texts in each language, and trends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from django import forms
from django.db.models import Field
from django.utils.text import capfirst
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from newsletter.desk.fields import RichTextField
from newsletter.desk.issue_page.values import FACTS, TEXTS, Values, languages_of, topics_of
from newsletter.editorial import workflow
from newsletter.editorial.models import Issue, IssueTranslation, Trend
from newsletter.lib.languages import direction, language_name_in

SUBJECT_LENGTH = 78
"""Characters that a subject line should have at most (RFC 5322, 2.1.1)."""
TREND_CHOICES = [
    (Trend.Status.IMPROVED.value, pgettext_lazy("trend", "Improved")),
    (Trend.Status.UNCHANGED.value, pgettext_lazy("trend", "Unchanged")),
    (Trend.Status.WORSENED.value, pgettext_lazy("trend", "Worsened")),
    ("", pgettext_lazy("trend", "None")),
]


@dataclass(frozen=True)
class LanguageTexts:
    """The fields of one language."""

    code: str
    name: str
    subject: forms.BoundField
    preheader: forms.BoundField
    introduction: forms.BoundField

    @property
    def direction(self) -> str:
        return direction(self.code)

    @property
    def subject_length(self) -> int:
        return len(str(self.subject.value() or ""))

    @property
    def is_expanded(self) -> bool:
        """Whether the preheader and the introduction are shown at once."""
        return bool(self.preheader.errors or self.introduction.errors)


class IssueForm(forms.ModelForm[Issue]):
    """An issue with its texts (`subject_en` …) and the trends of its week (`trend_<topic ID>`)."""

    class Meta:
        model = Issue
        fields = FACTS
        widgets: ClassVar[dict[str, forms.Widget]] = {
            "starts_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "ends_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "note": forms.Textarea(attrs={"rows": 3}),
        }

    def __init__(self, *args: Any, values: Values, **kwargs: Any) -> None:
        """`values` are the initial ones."""
        super().__init__(*args, **kwargs)
        self.languages = languages_of(self.instance)
        self.topics = topics_of(self.instance)
        for code in self.languages:
            self._add_texts(code)
        for topic in self.topics:
            self.fields[f"trend_{topic.pk}"] = forms.ChoiceField(
                label=str(topic), choices=TREND_CHOICES, required=False, widget=forms.RadioSelect
            )
        for name, field in self.fields.items():
            field.initial = self.initial[name] = values[name]
            if name in FACTS or name.startswith(("subject_", "preheader_")):
                field.widget.attrs["class"] = "input"

    def _add_texts(self, code: str) -> None:
        language = language_name_in(code, get_language() or code)
        for name in TEXTS:
            model_field = cast(Field[Any, Any], IssueTranslation._meta.get_field(name))
            label = f"{capfirst(str(model_field.verbose_name))} ({language})"
            field: forms.Field
            if name == "introduction":
                field = RichTextField(label=label, required=False)
            else:
                field = cast(forms.Field, model_field.formfield(label=label))
                field.widget.attrs |= {"lang": code, "dir": direction(code)}
            self.fields[f"{name}_{code}"] = field

    def _get_validation_exclusions(self) -> set[str]:
        # Without the newsletter, Django would check none of the constraints that name it.
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return excluded - {"newsletter"}

    @property
    def texts(self) -> Iterator[LanguageTexts]:
        for code in self.languages:
            fields = (self[f"{name}_{code}"] for name in TEXTS)
            yield LanguageTexts(code, language_name_in(code, get_language() or code), *fields)

    @property
    def facts(self) -> list[forms.BoundField]:
        return [self[name] for name in FACTS]

    @property
    def has_fact_errors(self) -> bool:
        return any(self[name].errors for name in FACTS) or bool(self.non_field_errors())

    def save_all(self, changed: set[str]) -> Issue:
        """Save the facts, and those texts and trends whose fields have changed."""
        issue = self.save()
        for code in self.languages:
            if changed & {f"{name}_{code}" for name in TEXTS}:
                self._save_texts(issue, code)
        for topic in self.topics:
            if f"trend_{topic.pk}" in changed:
                status = self.cleaned_data[f"trend_{topic.pk}"] or None
                workflow.set_issue_trend(issue, topic, status)
        return issue

    def _save_texts(self, issue: Issue, code: str) -> None:
        values = {name: self.cleaned_data[f"{name}_{code}"] for name in TEXTS}
        stored = issue.translations.filter(language=code).first()
        if any(values.values()):
            text = stored or IssueTranslation(issue=issue, language=code)
            for name, value in values.items():
                setattr(text, name, value)
            text.save()
        elif stored:
            stored.delete()


def shown_value(form: IssueForm, name: str, value: str) -> str:
    """Return the value as a person reads it: a trend's or a kind's label, otherwise itself."""
    field = form.fields[name]
    if isinstance(field, forms.ChoiceField):
        options = cast(Iterable[tuple[object, object]], field.choices)
        labels = {str(key): str(label) for key, label in options}
        return labels.get(value, value)
    return value or str(_("(empty)"))
