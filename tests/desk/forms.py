"""Read a desk form's values, to post it as a browser would."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.db.models.fields.files import FieldFile
from django.test import Client

from newsletter.desk.article_page import page_url

MINSK = ZoneInfo("Europe/Minsk")
"""The time zone of the `weekly` newsletter."""


def form_data(client: Client, url: str) -> dict[str, Any]:
    """Return the values of the page's main form and its inlines, ready to be posted."""
    response = client.get(url)
    assert response.status_code == 200
    data: dict[str, Any] = {}
    if "adminform" in response.context:
        forms = [response.context["adminform"].form]
        for inline in response.context["inline_admin_formsets"]:
            forms += [inline.formset.management_form, *inline.formset.forms]
    elif "facts" in response.context:  # the article's page
        forms = [response.context["facts"]]
    else:  # the page
        forms = [response.context["form"]]
        data = {name: response.context[name] for name in ("base", "token", "seen")}
    return data | _values(forms)


def text_data(client: Client, article: Any, language: str) -> dict[str, Any]:
    """Return the values of an article's text form in a language, ready to be posted."""
    response = client.get(page_url(article, language))
    assert response.status_code == 200
    return _values([response.context["form"]])


def facts_data(client: Client, url: str) -> dict[str, Any]:
    """Return the values of the facts form of an article's page, or of the page that adds one."""
    response = client.get(url)
    assert response.status_code == 200
    return _values([response.context["facts"]])


def _values(forms: list[Any]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for form in forms:
        for field in form:
            value = field.value()
            for name, text in _posted_values(field.html_name, value):
                data[name] = text
    return data


def with_token(client: Client, url: str) -> dict[str, str]:
    """Return what the issue's page or the page that sends it posts to say what it showed."""
    return {"token": client.get(url).context["token"]}


def _posted_values(name: str, value: Any) -> list[tuple[str, Any]]:
    if hasattr(value, "astimezone"):
        local = value.astimezone(MINSK)
        return [(f"{name}_0", f"{local:%Y-%m-%d}"), (f"{name}_1", f"{local:%H:%M:%S}")]
    if value is None or value is False or isinstance(value, FieldFile):
        return []
    return [(name, value() if callable(value) else value)]
