"""The form on other sites (B7): no cookie, any page may frame it, a stricter rate limit."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from newsletter.editorial.models import Newsletter
from subscribers import intake
from subscribers.models import Intake, Subscription
from tests.subscribers.conftest import ALA, filled

pytestmark = pytest.mark.django_db
FOREIGN = {"origin": "https://blog.example", "sec-fetch-site": "cross-site"}


def minimal(**data: Any) -> dict[str, Any]:
    """Return what a form in another page's own HTML sends: an address and a choice."""
    return {"email": ALA, "choices": ["be,ru"], **data}


def test_b7_any_page_may_frame_it(csrf_client: Client, weekly: Newsletter) -> None:
    for path in ("/be/embed/weekly/", "/be/embed/weekly/sent/"):
        response = csrf_client.get(path)
        assert response.status_code == 200
        assert "frame-ancestors *" in response["Content-Security-Policy"]
        assert "script-src 'self'" in response["Content-Security-Policy"]
        assert "X-Frame-Options" not in response
        assert not response.cookies
        assert '<html lang="be"' in response.content.decode()


@pytest.mark.parametrize("path", ["/en/", "/en/subscribe/", "/en/preferences/", "/en/about/"])
def test_b7_other_pages_may_not_be_framed(
    csrf_client: Client, weekly: Newsletter, path: str
) -> None:
    response = csrf_client.get(path)
    assert "frame-ancestors 'none'" in response["Content-Security-Policy"]
    assert response["X-Frame-Options"] == "DENY"


def test_the_framed_form_signs_up(csrf_client: Client, weekly: Newsletter) -> None:
    page = csrf_client.get("/be/embed/weekly/").content.decode()
    assert 'action="/be/embed/weekly/"' in page
    assert "csrfmiddlewaretoken" not in page
    response = csrf_client.post("/be/embed/weekly/", filled(choices=["be,ru"]))
    assert (response.status_code, response["Location"]) == (303, "/be/embed/weekly/sent/")
    assert not response.cookies
    assert intake.drain(10) == 1
    assert Subscription.objects.get().languages == ("be", "ru")


def test_a_form_in_another_sites_html_signs_up(csrf_client: Client, weekly: Newsletter) -> None:
    response = csrf_client.post("/en/embed/weekly/", minimal(), headers=FOREIGN)
    assert response.status_code == 303
    assert Intake.objects.count() == 1


def test_b7_the_url_works_without_its_slash(csrf_client: Client, weekly: Newsletter) -> None:
    """A redirect would turn the POST into a GET, and a preflight request may not follow one."""
    assert csrf_client.options("/en/embed/weekly", headers=FOREIGN).status_code == 204
    assert csrf_client.post("/en/embed/weekly", minimal(), headers=FOREIGN).status_code == 303
    assert Intake.objects.count() == 1
    assert "frame-ancestors *" in csrf_client.get("/en/embed/weekly")["Content-Security-Policy"]


def test_a_form_with_only_an_address_is_enough(csrf_client: Client, weekly: Newsletter) -> None:
    assert csrf_client.post("/be/embed/weekly/", {"email": ALA}).status_code == 303
    intake.drain(10)
    assert Subscription.objects.get().languages == ("be", "ru")


def test_b7_another_sites_script_signs_up_without_cookies(
    csrf_client: Client, weekly: Newsletter
) -> None:
    json_headers = {**FOREIGN, "accept": "application/json"}
    preflight = csrf_client.options("/en/embed/weekly/", headers=FOREIGN)
    assert preflight.status_code == 204
    assert preflight["Access-Control-Allow-Methods"] == "POST"
    response = csrf_client.post("/en/embed/weekly/", minimal(), headers=json_headers)
    assert response.status_code == 202
    assert response.json() == {"message": "Check your inbox"}
    assert response["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in response
    invalid = csrf_client.post("/en/embed/weekly/", minimal(email="nobody"), headers=json_headers)
    assert invalid.status_code == 422
    assert "needs an @" in invalid.json()["errors"]["email"][0]["message"]


def test_b7_other_pages_allow_no_cross_origin_requests(
    csrf_client: Client, weekly: Newsletter
) -> None:
    for path in ("/en/", "/en/subscribe/", "/challenge/"):
        assert "Access-Control-Allow-Origin" not in csrf_client.get(path, headers=FOREIGN)


def test_b4_a_minimal_form_has_the_stricter_limit(
    csrf_client: Client, weekly: Newsletter, settings: Any
) -> None:
    settings.SIGN_UPS_PER_NETWORK = 10
    responses = [
        csrf_client.post("/en/embed/weekly/", minimal(), REMOTE_ADDR="198.51.100.7").status_code
        for _ in range(4)
    ]
    assert responses == [303, 303, 429, 429]


def test_an_invalid_form_explains_the_problem_in_the_frame(
    csrf_client: Client, weekly: Newsletter
) -> None:
    response = csrf_client.post("/en/embed/weekly/", filled(email="kept@gmial.com"))
    page = response.content.decode()
    assert response.status_code == 422
    assert "Did you mean gmail.com?" in page
    assert "kept@gmial.com" in page
    assert "frame-ancestors *" in response["Content-Security-Policy"]


def test_a_bot_in_the_honeypot_gets_the_same_response_and_is_ignored(
    csrf_client: Client, weekly: Newsletter
) -> None:
    assert csrf_client.post("/en/embed/weekly/", minimal(website="x")).status_code == 303
    assert not Intake.objects.exists()


def test_an_unknown_newsletter_is_not_found(csrf_client: Client, weekly: Newsletter) -> None:
    assert csrf_client.get("/en/embed/nothing/").status_code == 404
    assert csrf_client.post("/en/embed/nothing/", minimal()).status_code == 404
