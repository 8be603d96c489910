"""The form on somebody else's page (B7): no cookie, framed by anybody, limits of its own."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from newsletter.editorial.models import Newsletter
from subscribers import intake
from subscribers.models import Intake, Subscription
from tests.subscribers.conftest import ALA, filled

pytestmark = pytest.mark.django_db
FOREIGN = {"origin": "https://blog.example", "sec-fetch-site": "cross-site"}


@pytest.fixture(autouse=True)
def _fresh_counters() -> None:
    cache.clear()


@pytest.fixture
def strict(db: None) -> Client:
    return Client(enforce_csrf_checks=True)


def bare(**data: Any) -> dict[str, Any]:
    """What a form in a page's own HTML sends: an address, a choice."""
    return {"email": ALA, "choices": ["be,ru"], **data}


def test_b7_any_page_may_frame_it(strict: Client, weekly: Newsletter) -> None:
    for path in ("/be/embed/weekly/", "/be/embed/weekly/asked/"):
        answer = strict.get(path)
        assert answer.status_code == 200
        assert "frame-ancestors *" in answer["Content-Security-Policy"]
        assert "script-src 'self'" in answer["Content-Security-Policy"]
        assert "X-Frame-Options" not in answer
        assert not answer.cookies
        assert '<html lang="be"' in answer.content.decode()


@pytest.mark.parametrize("path", ["/en/", "/en/subscribe/", "/en/preferences/", "/en/about/"])
def test_b7_other_pages_may_not_be_framed(strict: Client, weekly: Newsletter, path: str) -> None:
    answer = strict.get(path)
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "DENY"


def test_the_frames_form_signs_up(strict: Client, weekly: Newsletter) -> None:
    page = strict.get("/be/embed/weekly/").content.decode()
    assert 'action="/be/embed/weekly/"' in page
    assert "csrfmiddlewaretoken" not in page
    answer = strict.post("/be/embed/weekly/", filled(choices=["be,ru"]))
    assert (answer.status_code, answer["Location"]) == (303, "/be/embed/weekly/asked/")
    assert not answer.cookies
    assert intake.drain(10) == 1
    assert Subscription.objects.get().languages == ("be", "ru")


def test_a_form_in_a_foreign_pages_own_html_signs_up(strict: Client, weekly: Newsletter) -> None:
    answer = strict.post("/en/embed/weekly/", bare(), headers=FOREIGN)
    assert answer.status_code == 303
    assert Intake.objects.count() == 1


def test_b7_the_address_works_without_its_slash(strict: Client, weekly: Newsletter) -> None:
    """A redirect would turn the POST into a GET, and no script may follow one before it asks."""
    assert strict.options("/en/embed/weekly", headers=FOREIGN).status_code == 204
    assert strict.post("/en/embed/weekly", bare(), headers=FOREIGN).status_code == 303
    assert Intake.objects.count() == 1
    assert "frame-ancestors *" in strict.get("/en/embed/weekly")["Content-Security-Policy"]


def test_a_bare_form_needs_no_more_than_an_address(strict: Client, weekly: Newsletter) -> None:
    assert strict.post("/be/embed/weekly/", {"email": ALA}).status_code == 303
    intake.drain(10)
    assert Subscription.objects.get().languages == ("be", "ru")


def test_b7_a_script_of_a_foreign_page_signs_up_without_cookies(
    strict: Client, weekly: Newsletter
) -> None:
    asks = {**FOREIGN, "accept": "application/json"}
    before = strict.options("/en/embed/weekly/", headers=FOREIGN)
    assert before.status_code == 204
    assert before["Access-Control-Allow-Methods"] == "POST"
    answer = strict.post("/en/embed/weekly/", bare(), headers=asks)
    assert answer.status_code == 202
    assert answer.json() == {"message": "Check your inbox"}
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer
    wrong = strict.post("/en/embed/weekly/", bare(email="nobody"), headers=asks)
    assert wrong.status_code == 422
    assert "has an @" in wrong.json()["errors"]["email"][0]["message"]


def test_b7_other_addresses_answer_no_foreign_script(strict: Client, weekly: Newsletter) -> None:
    for path in ("/en/", "/en/subscribe/", "/challenge/"):
        assert "Access-Control-Allow-Origin" not in strict.get(path, headers=FOREIGN)


def test_b4_a_bare_form_has_the_stricter_limit(
    strict: Client, weekly: Newsletter, settings: Any
) -> None:
    settings.SIGN_UPS_PER_NETWORK = 10
    answers = [
        strict.post("/en/embed/weekly/", bare(), REMOTE_ADDR="198.51.100.7").status_code
        for _time in range(4)
    ]
    assert answers == [303, 303, 429, 429]


def test_bad_input_is_told_in_the_frame(strict: Client, weekly: Newsletter) -> None:
    answer = strict.post("/en/embed/weekly/", filled(email="kept@gmial.com"))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Did you mean gmail.com?" in page
    assert "kept@gmial.com" in page
    assert "frame-ancestors *" in answer["Content-Security-Policy"]


def test_a_machine_in_the_trap_gets_the_same_answer(strict: Client, weekly: Newsletter) -> None:
    assert strict.post("/en/embed/weekly/", bare(website="x")).status_code == 303
    assert not Intake.objects.exists()


def test_an_unknown_newsletter_is_not_found(strict: Client, weekly: Newsletter) -> None:
    assert strict.get("/en/embed/nothing/").status_code == 404
    assert strict.post("/en/embed/nothing/", bare()).status_code == 404
