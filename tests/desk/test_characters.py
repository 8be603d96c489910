"""20 characters in every form of the desk: each is normalised, or refused at its field (H1)."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import models
from django.forms import CharField, ModelForm
from django.test import Client, RequestFactory
from django.urls import reverse

from newsletter.desk.article_page import text_url
from newsletter.editorial.models import (
    ArticleTranslation,
    Issue,
    Newsletter,
    NewsletterTranslation,
    Newsroom,
    Topic,
    User,
)
from newsletter.lib.text_fields import LONGEST_BODY, TextFormMixin
from tests.conftest import WriteArticle
from tests.desk.forms import form_data, text_data
from tests.lib.odd_characters import KEPT, REFUSED

pytestmark = pytest.mark.django_db

Fixtures = dict[str, models.Model]


@pytest.fixture
def rows(
    newsroom: Newsroom, issue: Issue, security: Topic, write_article: WriteArticle
) -> Fixtures:
    article = write_article(issue=issue, topic=security, en="Headline")
    return {
        "article": article,
        "issue": issue,
        "newsletter": issue.newsletter,
        "newsroom": newsroom,
        "topic": security,
        "user": User.objects.create_user("taras", "taras@news.example.org"),
        "group": Group.objects.create(name="Guests"),
    }


FORMS = {
    "article": ["headline", "lead", "body", "authors", "alt_text", "slug", "correction"],
    "issue": ["note", "subject_en", "preheader_en", "introduction_en"],
    "newsletter": [
        *("slug", "languages", "choices", "sender_address", "reply_to", "timezone", "list_domain"),
        *("translations-0-name", "translations-0-sender_name", "translations-0-promise"),
        "translations-0-footer",
    ],
    "newsroom": [
        *("accent", "ink", "postal_address", "follow_links", "translations-0-name"),
        *("translations-0-tagline", "translations-0-about", "translations-0-privacy"),
    ],
    "topic": ["slug", "translations-0-name"],
    "user": ["first_name", "last_name", "email"],
    "group": ["name"],
}
URLS = {"user": "editorial_user", "group": "auth_group"}


def errors_of(answer: Any) -> dict[str, list[str]]:
    """Return the messages at each field of the page's form and its inlines."""
    if "adminform" not in answer.context:
        forms = [answer.context["form"]]
    else:
        forms = [answer.context["adminform"].form]
        for inline in answer.context["inline_admin_formsets"]:
            forms += inline.formset.forms
    return {
        form.add_prefix(name): [str(message) for message in messages]
        for form in forms
        for name, messages in form.errors.items()
    }


@pytest.mark.parametrize("form", FORMS)
def test_a_character_that_is_no_text_is_refused_at_its_field(
    form: str, rows: Fixtures, admin_client: Client
) -> None:
    url, data = opened(form, rows, admin_client)
    for character in REFUSED:
        answer = admin_client.post(url, data | dict.fromkeys(FORMS[form], f"a{character}b"))
        errors = errors_of(answer)
        for field in FORMS[form]:
            assert f"U+{ord(character):04X} " in " ".join(errors[field]), (field, errors)


@pytest.mark.parametrize("form", FORMS)
def test_a_character_that_says_nothing_changes_nothing(
    form: str, rows: Fixtures, admin_client: Client
) -> None:
    url, data = opened(form, rows, admin_client)
    for character in KEPT:
        odd = {field: f"{data.get(field) or ''}{character}" for field in FORMS[form]}
        answer = admin_client.post(url, data | odd)
        assert answer.status_code == 302, (ascii(character), errors_of(answer))
        assert opened(form, rows, admin_client)[1] == data


def opened(form: str, rows: Fixtures, client: Client) -> tuple[str, dict[str, Any]]:
    """Return where the form is posted to, and what is posted if nothing is changed."""
    if form == "article":
        article: Any = rows["article"]
        return text_url(article, "en"), text_data(client, article, "en")
    url = change_url(form, rows)
    return url, form_data(client, url)


def change_url(form: str, rows: Fixtures) -> str:
    return reverse(f"admin:{URLS.get(form, f'editorial_{form}')}_change", args=[rows[form].pk])


def test_every_text_that_people_fill_in_has_the_rule() -> None:
    """A new form field of the desk without the rule fails here."""
    request = RequestFactory().get("/")
    request.user = User(is_superuser=True, is_staff=True)
    without: set[str] = set()
    for model_admin in admin.site._registry.values():
        if not model_admin.has_change_permission(request):
            continue
        forms: list[type[ModelForm[Any]]] = [model_admin.get_form(request)]
        forms += [i.get_formset(request).form for i in model_admin.get_inline_instances(request)]
        without |= {
            name
            for form in forms
            for name, field in form.base_fields.items()
            if isinstance(field, CharField) and not isinstance(field, TextFormMixin)
        }
    assert without == EXEMPT


EXEMPT = {"language", "original_language"}
"""Hidden codes, which their own validator checks."""


def test_the_message_is_in_the_users_language(rows: Fixtures, admin_client: Client) -> None:
    url = reverse("admin:editorial_topic_change", args=[rows["topic"].pk])
    data = form_data(admin_client, url) | {"translations-0-name": "Бяс\0пека"}
    answer = admin_client.post(url, data, headers={"accept-language": "be"})
    message = "Выдаліце U+0000 (кіроўны знак) пасля «Бяс»."
    assert errors_of(answer) == {"translations-0-name": [message]}


def test_texts_that_are_too_long_are_refused_at_their_fields_and_still_there(
    rows: Fixtures, admin_client: Client
) -> None:
    body, headline = "<p>Тэкст</p>" * 350_000, "Загаловак " * 10_000
    url, data = opened("article", rows, admin_client)
    data |= {"headline": headline, "body": body}
    answer = admin_client.post(url, data)
    assert answer.status_code == 200
    errors = errors_of(answer)
    assert "at most 250 characters" in errors["headline"][0]
    assert f"at most {LONGEST_BODY} characters" in errors["body"][0]
    assert answer.content.decode().count("Тэкст") >= 350_000


def test_models_refuse_what_a_command_passes_on(weekly: Newsletter) -> None:
    text = NewsletterTranslation(newsletter=weekly, language="ka", name="a\x07b", footer="a\rb")
    with pytest.raises(ValidationError) as error:
        text.clean_fields()
    assert error.value.message_dict == {"name": ["Remove U+0007 (a control character) after “a”."]}
    assert text.footer == "a b"
    long = ArticleTranslation(headline="x", body="x" * (LONGEST_BODY + 1), language="en")
    with pytest.raises(ValidationError) as error:
        long.clean_fields(exclude=["article"])
    assert list(error.value.message_dict) == ["body"]
