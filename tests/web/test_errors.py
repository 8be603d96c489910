"""Error pages are in the visitor's language."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.template.loader import render_to_string
from django.test import Client
from django.utils import translation

from newsletter.editorial.models import Article, Newsletter
from tests.web.parsed_page import ParsedPage


@pytest.mark.parametrize("language", ["en", "be", "ru"])
@pytest.mark.parametrize("path", ["nothing/", "articles/nothing/", "topics/nothing/"])
def test_not_found_is_in_the_language_of_the_url_and_offers_links(
    client: Client, army: Article, language: str, path: str
) -> None:
    response = client.get(f"/{language}/{path}")
    assert response.status_code == 404
    page = ParsedPage(response)
    assert page.all("html", lang=language)
    links = {link["href"] for link in page.all("a")}
    assert {f"/{language}/issues/", f"/{language}/issues/weekly/2017-07-24/"} <= links
    assert {path.split("/")[1] for path in page.language_switch.values()} == {"en", "be", "ru"}
    assert page.language_switch[language] == f"/{language}/{path}"


def test_without_a_prefix_the_browsers_language_is_used(client: Client, db: None) -> None:
    response = client.get("/view/none/", headers={"accept-language": "be"})
    assert ParsedPage(response).all("html", lang="be")


def test_a_form_without_its_csrf_cookie_is_refused_with_advice(weekly: Newsletter) -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post("/be/subscribe/", {"email": "reader@example.org"})
    assert response.status_code == 403
    page = ParsedPage(response)
    assert page.all("html", lang="be")
    assert page.language_switch["ru"] == "/ru/"  # a posted form has no URL in another language
    assert "reader@example.org" not in response.content.decode()


@pytest.mark.parametrize("name", ["400.html", "500.html"])
def test_400_and_500_need_no_database(name: str) -> None:
    with translation.override("be"):
        html = render_to_string(name)
    assert '<html lang="be"' in html
    assert settings.SITE_URL not in html
    assert "<script" not in html
