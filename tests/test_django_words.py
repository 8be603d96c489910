"""Our changes to Django's translations: the official orthography, and model names in sentences."""

from __future__ import annotations

import re
from pathlib import Path

import django
import pytest
from babel.messages.pofile import read_po
from django.conf import settings
from django.core.exceptions import ValidationError
from django.forms import ChoiceField
from django.utils.translation import gettext, ngettext, override, pgettext

DJANGO = Path(django.__file__).parent
RUNNING = "Django {}.{}".format(*django.VERSION)
TARASKIEVICA = re.compile(r"[сзц]ь[бвмнзсцфпкглд]|ньн|льл|дзьв|сыстэм|плян|ґ|\b(ня|бяз)\s", re.I)


def belarusian_texts(part: str) -> list[str]:
    """Return Django's Belarusian texts of one of its catalogs, with this project's changes."""
    source = DJANGO / part / "locale" / "be" / "LC_MESSAGES" / "django.po"
    texts = []
    with source.open("rb") as file, override("be"):
        for message in read_po(file, locale="be"):
            if not isinstance(message.id, str):
                singular, plural = message.id
                texts += [ngettext(singular, plural, number) for number in (1, 2, 5)]
            elif message.id:
                context = message.context
                texts.append(pgettext(context, message.id) if context else gettext(message.id))
    return texts


@pytest.mark.parametrize("part", ["contrib/admin", "contrib/auth"])
def test_the_desk_uses_the_official_orthography(part: str) -> None:
    texts = belarusian_texts(part)
    assert len(texts) > 50
    assert [text for text in texts if TARASKIEVICA.search(text)] == []


def test_forms_and_months_use_the_official_orthography() -> None:
    with override("be"):
        with pytest.raises(ValidationError) as refusal:
            ChoiceField(choices=[("a", "A")]).clean("b")
        assert refusal.value.messages == ["Выберыце адно з даступных значэнняў. Сярод іх няма b."]
        assert (gettext("December"), gettext("March")) == ("снежня", "сакавіка")


@pytest.mark.parametrize(
    ("language", "words"),
    [("be", "Выберыце, што змяніць: рассылка"), ("ru", "Выберите, что изменить: рассылка")],
)
def test_a_model_name_stays_in_the_nominative(language: str, words: str) -> None:
    with override(language):
        assert gettext("Select %s to change") % "рассылка" == words


@pytest.mark.parametrize("language", ["be", "ru"])
def test_each_changed_message_is_still_one_of_djangos(language: str) -> None:
    """A new release may have changed a msgid. Where the supported releases differ, a comment above
    the message names the one that has it."""
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
