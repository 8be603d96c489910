"""Words of Django's own, said otherwise: official orthography, and names outside of sentences."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import django
import pytest
from babel.messages.pofile import read_po
from django.conf import settings
from django.core.exceptions import ValidationError
from django.forms import ChoiceField
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext, override, pgettext
from django.utils.translation.trans_real import DjangoTranslation

DJANGO = Path(django.__file__).parent
RUNNING = "Django {}.{}".format(*django.VERSION)
TARASKIEVICA = re.compile(r"[сзц]ь[бвмнзсцфпкглд]|ньн|льл|дзьв|сыстэм|плян|ґ|\b(ня|бяз)\s", re.I)


def spoken(part: str) -> list[str]:
    """All that Django says in Belarusian on these pages, as this project says it."""
    source = DJANGO / part / "locale" / "be" / "LC_MESSAGES" / "django.po"
    texts = []
    with source.open("rb") as file, override("be"):
        for message in read_po(file, locale="be"):
            if isinstance(message.id, tuple):
                singular, plural = message.id
                texts += [ngettext(singular, plural, number) for number in (1, 2, 5)]
            elif message.id and message.context:
                texts.append(pgettext(message.context, str(message.id)))
            elif message.id:
                texts.append(gettext(str(message.id)))
    return texts


@pytest.mark.parametrize("part", ["contrib/admin", "contrib/auth"])
def test_the_desk_speaks_the_official_orthography(part: str) -> None:
    texts = spoken(part)
    assert len(texts) > 50
    assert [text for text in texts if TARASKIEVICA.search(text)] == []


def test_the_desks_scripts_are_in_the_official_orthography() -> None:
    """The calendar's “Today” comes from the catalog of the admin's scripts."""
    catalog = DjangoTranslation(
        "be", domain="djangojs", localedirs=[str(DJANGO / "contrib/admin/locale")]
    )
    assert catalog.gettext("Today") == "Сёння"
    source = DJANGO / "contrib/admin/locale/be/LC_MESSAGES/djangojs.po"
    with source.open("rb") as file:
        messages = [each for each in read_po(file, locale="be") if each.id and not each.context]
    texts = []
    for message in messages:
        if isinstance(message.id, tuple):
            texts += [catalog.ngettext(message.id[0], message.id[1], n) for n in (1, 2, 5)]
        else:
            texts.append(catalog.gettext(str(message.id)))
    assert [text for text in texts if TARASKIEVICA.search(text)] == []


def test_a_month_and_year_are_in_the_nominative() -> None:
    """As in the date filter of the desk's lists."""
    with override("be"):
        assert date_format(date(2026, 10, 1), "YEAR_MONTH_FORMAT") == "кастрычнік 2026 г."
        assert date_format(date(2026, 10, 1), "DATE_FORMAT") == "1 кастрычніка 2026 г."


def test_forms_and_months_are_in_the_official_orthography() -> None:
    with override("be"):
        with pytest.raises(ValidationError) as refusal:
            ChoiceField(choices=[("a", "A")]).clean("b")
        assert refusal.value.messages == ["Выберыце адно з даступных значэнняў. Сярод іх няма b."]
        assert (gettext("December"), gettext("March")) == ("снежань", "сакавік")
        assert [date_format(date(2026, month, 3), "E") for month in (3, 12)] == [
            "сакавіка",
            "снежня",
        ]


@pytest.mark.parametrize(
    ("language", "words"),
    [("be", "Выберыце, што змяніць: рассылка"), ("ru", "Выберите, что изменить: рассылка")],
)
def test_a_models_name_stands_in_the_nominative(language: str, words: str) -> None:
    with override(language):
        assert gettext("Select %s to change") % "рассылка" == words


@pytest.mark.parametrize("language", ["be", "ru"])
def test_only_words_of_django_are_said_otherwise(language: str) -> None:
    """Each msgid is still one of Django's: a new release may have changed it. Where the
    supported releases differ, a comment above the message names the one that has it."""
    known = set()
    for part in ("conf", "contrib/admin", "contrib/auth"):
        with (DJANGO / part / "locale" / "en" / "LC_MESSAGES" / "django.po").open("rb") as file:
            known |= {(each.id, each.context) for each in read_po(file) if each.id}
    ours = Path(settings.BASE_DIR) / "locale-django" / language / "LC_MESSAGES" / "django.po"
    with ours.open("rb") as file:
        messages = [each for each in read_po(file, locale=language) if each.id]
    assert messages
    releases = [" ".join(each.user_comments) or RUNNING for each in messages]
    assert set(releases) <= {RUNNING, "Django 5.2", "Django 6.1"}
    here = zip(messages, releases, strict=True)
    assert {(each.id, each.context) for each, release in here if release == RUNNING} <= known
    assert all(each.string and not each.fuzzy for each in messages)
    assert [error for each in messages for error in each.check()] == []
