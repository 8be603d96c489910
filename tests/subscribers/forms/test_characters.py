"""20 characters in each field that readers fill in (H1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.http import QueryDict
from django.utils import translation

from newsletter.editorial.models import Newsletter
from newsletter.lib.text_fields import TextForm
from subscribers.addresses import AddressError, normalise
from subscribers.forms.preferences import PreferencesForm
from subscribers.forms.signup import ChangeAddressForm, EmbeddedForm, LinkForm, SubscribeForm
from tests.lib.odd_characters import KEPT, REFUSED, SURROGATE
from tests.subscribers.conftest import AddReader

pytestmark = pytest.mark.django_db

ADDRESS = "reader@readers.example"
SIGN_UP: dict[str, Callable[[Newsletter, Any], TextForm]] = {
    "subscribe": lambda newsletter, data: SubscribeForm(newsletter, "en", data),
    "embedded": lambda newsletter, data: EmbeddedForm(newsletter, "en", data),
    "link": lambda _newsletter, data: LinkForm(data),
    "change": lambda _newsletter, data: ChangeAddressForm(data),
}


def posted(values: dict[str, Any]) -> QueryDict:
    data = QueryDict(mutable=True)
    for name, value in values.items():
        data.setlist(name, value if isinstance(value, list) else [str(value)])
    return data


@pytest.mark.parametrize("kind", SIGN_UP)
def test_an_address_with_a_character_that_is_no_text_is_refused_without_repeating_it(
    kind: str, weekly: Newsletter
) -> None:
    for character in (*REFUSED, SURROGATE):
        data = {"email": f"re{character}ader@readers.example", "newsletter": "weekly"}
        form = SIGN_UP[kind](weekly, posted(data | {"choices": ["en"]}))
        (message,) = map(str, form.errors["email"])
        assert message.startswith(f"Remove U+{ord(character):04X} (")
        assert "re" not in message.removeprefix("Remove").partition("(")[0]
        assert "reader" not in message


@pytest.mark.parametrize("kind", SIGN_UP)
def test_what_is_pasted_around_an_address_is_left_out(kind: str, weekly: Newsletter) -> None:
    for character in KEPT:
        data = {"email": f"{character}{ADDRESS}{character}", "newsletter": "weekly"}
        form = SIGN_UP[kind](weekly, posted(data | {"choices": ["en"]}))
        assert form.is_valid(), (ascii(character), form.errors)
        assert form.cleaned_data["email"].email == ADDRESS


@pytest.mark.parametrize("kind", ["subscribe", "embedded"])
def test_the_other_fields_of_a_sign_up_name_the_character(kind: str, weekly: Newsletter) -> None:
    values = {"email": ADDRESS, "newsletter": "weekly", "choices": ["en"], "website": ""}
    for character in REFUSED:
        for name in ("newsletter", "choices", "website"):
            odd = [f"e{character}n"] if name == "choices" else f"weekly{character}"
            form = SIGN_UP[kind](weekly, posted(values | {name: odd}))
            assert f"U+{ord(character):04X} (" in " ".join(map(str, form.errors[name]))


def test_each_field_of_the_preferences_names_the_character(add_reader: AddReader) -> None:
    subscription = add_reader("en")
    values = {"content": "full", "frequency": "weekly", "language_0": "en", "page_language": "en"}
    names = (*values, "paused_until", "preferred_hour", "topics")
    for character in (*REFUSED, *KEPT):
        for name in names:
            data = posted(values | {name: f"e{character}n"})
            form = PreferencesForm(subscription, "en", data)
            message = " ".join(map(str, form.errors[name]))
            assert message, name
            if character in REFUSED:
                assert f"U+{ord(character):04X} (" in message, (name, message)


def test_a_command_refuses_such_an_address_in_its_language() -> None:
    with translation.override("ru"), pytest.raises(AddressError) as error:
        normalise("a\u202eb@readers.example")
    assert str(error.value) == (
        "Удалите U+202E (невидимый символ, который переворачивает текст после себя)."
    )
