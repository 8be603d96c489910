"""A reader's pages: signing up, confirming, choosing, leaving (A5, B1, B2, B3, F4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from newsletter.editorial.models import Issue, IssueTranslation, Newsletter, Topic
from newsletter.lib import keys
from subscribers import intake, lifecycle, suppression
from subscribers.links import tokens
from subscribers.links.tokens import Purpose
from subscribers.models import Intake, Subscription, TransactionalEmail
from tests.conftest import WriteArticle
from tests.subscribers.conftest import ALA, AddReader, Ask, filled

State = Subscription.State
pytestmark = pytest.mark.django_db


def url(name: str, subscription: Subscription, *, language: str = "en") -> str:
    purpose = {
        "preferences": Purpose.PREFERENCES,
        "unsubscribe": Purpose.UNSUBSCRIBE,
        "undo": Purpose.UNSUBSCRIBE,
    }.get(name, Purpose.CONFIRM)
    with translation.override(language):
        return reverse(f"subscribers:{name}", args=[tokens.make(purpose, subscription.pk)])


def state(subscription: Subscription) -> str:
    subscription.refresh_from_db()
    return subscription.state


@pytest.fixture
def strict(db: None) -> Client:
    """A browser as Django sees it: CSRF is checked."""
    return Client(enforce_csrf_checks=True)


def sign_up(client: Client, *, language: str = "en", **data: Any) -> Any:
    return client.post(f"/{language}/subscribe/", filled(**data))


# --- Signing up -------------------------------------------------------------------------------
def test_a_sign_up_leaves_one_sealed_arrival(client: Client, weekly: Newsletter) -> None:
    answer = sign_up(client, language="be", choices=["be,ru", "en"])
    assert (answer.status_code, answer["Location"]) == (303, "/be/subscribe/asked/")
    arrival = Intake.objects.get()
    assert arrival.kind == "sign-up"
    assert ALA.encode() not in bytes(arrival.sealed)
    intake.drain(10)
    subscription = Subscription.objects.get()
    assert subscription.languages == ("be", "en", "ru")
    assert subscription.subscriber.language == "be"
    assert "Тыдзень у фокусе" in subscription.consents.get().wording


def test_the_web_process_needs_no_worker_keys(
    client: Client, weekly: Newsletter, settings: Any
) -> None:
    settings.WORKER_KEYS = None
    assert sign_up(client).status_code == 303


def test_b1_the_answer_is_the_same_for_each_address(
    client: Client, weekly: Newsletter, add_reader: AddReader, ask: Ask
) -> None:
    add_reader("en", address="active@readers.example")
    ask(address="pending@readers.example")
    lifecycle.unsubscribe(add_reader("en", address="left@readers.example").pk)
    complained = add_reader("en", address="complained@readers.example").subscriber
    suppression.suppress(
        suppression.AddressHash(complained.address_hash_key, bytes(complained.address_hash)),
        "complained",
    )
    answers = set()
    for who in ("new", "active", "pending", "left", "complained"):
        answer = sign_up(client, email=f"{who}@readers.example")
        page = client.get(answer["Location"])
        answers.add((answer.status_code, answer["Location"], answer.content, page.content))
    assert len(answers) == 1
    assert Intake.objects.count() == 5


def test_a_form_sent_twice_makes_one_letter(client: Client, weekly: Newsletter) -> None:
    sign_up(client)
    sign_up(client)
    intake.drain(10)
    assert TransactionalEmail.objects.count() == Subscription.objects.count() == 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"email": "nobody"}, "has an @"),
        ({"email": ""}, "Please enter your e-mail address"),
        ({"email": "x" * 5000 + "@readers.example"}, "too long"),
        ({"email": "ала@readers.example"}, "only Latin"),
        ({"choices": []}, "Please tick at least one"),
        ({"choices": ["ka"]}, "does not come in this language"),
    ],
)
def test_bad_input_is_told_and_the_rest_is_kept(
    client: Client, weekly: Newsletter, data: dict[str, Any], words: str
) -> None:
    answer = sign_up(client, **{"email": "kept@readers.example", "choices": ["be,ru"], **data})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    assert 'aria-invalid="true"' in page
    assert ("kept@readers.example" in page) or "email" in data
    assert ('value="be,ru" id="subscribe_choices_1" checked' in page) or "choices" in data
    assert not Intake.objects.exists()


def test_a_machine_in_the_trap_gets_the_same_answer(client: Client, weekly: Newsletter) -> None:
    answer = sign_up(client, website="https://spam.example")
    assert (answer.status_code, answer["Location"]) == (303, "/en/subscribe/asked/")
    assert not Intake.objects.exists()


def test_an_unknown_newsletter_is_not_found(client: Client, weekly: Newsletter) -> None:
    assert sign_up(client, newsletter="nothing").status_code == 404


def test_b7_the_form_checks_csrf(strict: Client, weekly: Newsletter) -> None:
    assert sign_up(strict).status_code == 403
    page = strict.get("/en/subscribe/")
    token = page.context["csrf_token"]
    assert sign_up(strict, csrfmiddlewaretoken=token).status_code == 303


@pytest.mark.parametrize(("language", "ticked"), [("en", "en"), ("be", "be,ru"), ("ru", "be,ru")])
def test_f4_the_form_is_in_the_pages_language(
    client: Client, weekly: Newsletter, language: str, ticked: str
) -> None:
    page = client.get(f"/{language}/subscribe/").content.decode()
    assert f'<html lang="{language}"' in page
    assert page.count("checked") == 1
    assert (
        f'value="{ticked}" id="subscribe_choices_{["en", "be,ru"].index(ticked)}" checked' in page
    )


def test_a_newsletter_without_choices_offers_its_languages(
    client: Client, weekly: Newsletter
) -> None:
    weekly.choices = []
    weekly.save()
    page = client.get("/ru/subscribe/").content.decode()
    for code in ("en", "be", "ru"):
        assert f'value="{code}"' in page
    assert sign_up(client, choices=["ru", "be"]).status_code == 303


# --- Confirming -------------------------------------------------------------------------------
@pytest.mark.parametrize("method", ["get", "head", "options"])
@pytest.mark.parametrize("name", ["confirm", "confirmed", "send-latest"])
def test_b2_opening_the_link_confirms_nothing(
    client: Client, ask: Ask, method: str, name: str
) -> None:
    subscription = ask()
    assert subscription is not None
    getattr(client, method)(url(name, subscription))
    assert state(subscription) == State.PENDING
    assert TransactionalEmail.objects.count() == 1


def test_b2_the_button_confirms_without_a_cookie(strict: Client, ask: Ask) -> None:
    subscription = ask("be", "ru", page_language="be")
    assert subscription is not None
    link = url("confirm", subscription, language="be")
    page = strict.get(link).content.decode()
    assert "Тыдзень у фокусе" in page
    assert '<span lang="be">беларуская</span>, <span lang="ru">русский</span>' in page
    answer = strict.post(link, headers={"origin": "null"})
    assert answer.status_code == 303
    assert state(subscription) == State.ACTIVE
    with translation.override("be"):
        welcome = translation.gettext("You have been successfully subscribed")
    assert welcome in strict.get(answer["Location"]).content.decode()
    assert "sessionid" not in strict.cookies


def test_a_link_that_was_used_says_so(client: Client, ask: Ask) -> None:
    subscription = ask()
    assert subscription is not None
    link = url("confirm", subscription)
    client.post(link)
    again = client.get(link)
    assert again.status_code == 200
    assert "already" in again.content.decode()
    assert client.post(link).status_code == 303
    lifecycle.unsubscribe(subscription.pk)
    assert client.get(link).status_code == client.post(link).status_code == 410
    assert client.get(url("confirmed", subscription)).status_code == 410


@pytest.mark.parametrize("language", ["en", "be", "ru"])
@pytest.mark.parametrize("path", ["confirm", "preferences", "unsubscribe"])
def test_b3_a_forged_token_has_a_way_on(
    client: Client, weekly: Newsletter, language: str, path: str
) -> None:
    answer = client.get(f"/{language}/{path}/{'A' * 36}/")
    assert answer.status_code == 404
    assert f"/{language}/subscribe/" in answer.content.decode()
    assert f'<html lang="{language}"' in answer.content.decode()


def test_b3_an_expired_confirmation_has_a_way_on(client: Client, ask: Ask) -> None:
    subscription = ask()
    assert subscription is not None
    link = url("confirm", subscription)
    with time_machine.travel(timezone.now() + timedelta(hours=49)):
        for answer in (client.get(link), client.post(link)):
            assert answer.status_code == 410
            assert "48 hours" in answer.content.decode()
    assert state(subscription) == State.PENDING


def test_a_subscription_that_was_pruned_is_gone(client: Client, ask: Ask) -> None:
    subscription = ask()
    assert subscription is not None
    link = url("confirm", subscription)
    subscription.delete()
    assert client.get(link).status_code == client.post(link).status_code == 410


@pytest.mark.parametrize("name", ["confirm", "confirmed", "preferences", "unsubscribe"])
def test_a_page_with_a_token_is_not_kept_nor_told(
    client: Client, add_reader: AddReader, name: str
) -> None:
    answer = client.get(url(name, add_reader("en")))
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "noindex" in answer["X-Robots-Tag"]
    assert ALA not in answer.content.decode()


def test_the_welcome_page_shows_the_latest_issue_and_mails_it_once(
    client: Client, add_reader: AddReader, issue: Issue, write_article: WriteArticle
) -> None:
    write_article(issue=issue, en="Talks", be="Перамовы")
    write_article(issue=issue, en="Only in English")
    IssueTranslation.objects.create(issue=issue, language="be", subject="Тыдзень перамоў")
    Issue.objects.update(state=Issue.State.APPROVED)
    subscription = add_reader("be", "ru")
    welcome = url("confirmed", subscription, language="be")
    page = client.get(welcome).content.decode()
    assert "24–30 ліпеня 2017" in page
    assert "Тыдзень перамоў" in page
    assert "Перамовы" in page
    assert "Only in English" not in page
    send = url("send-latest", subscription, language="be")
    assert client.get(send).status_code == 303
    assert not TransactionalEmail.objects.exists()
    for _time in range(2):
        assert client.post(send)["Location"].startswith("/be/confirm/")
    email = TransactionalEmail.objects.get()
    assert (email.kind, email.about) == ("issue", str(issue.pk))
    assert send not in client.get(welcome).content.decode()


def test_the_welcome_page_does_without_an_issue(
    client: Client, add_reader: AddReader, issue: Issue
) -> None:
    subscription = add_reader("en")
    assert client.get(url("confirmed", subscription)).status_code == 200
    client.post(url("send-latest", subscription))
    assert not TransactionalEmail.objects.exists()


# --- Choices ----------------------------------------------------------------------------------
def choose(client: Client, subscription: Subscription, **data: Any) -> Any:
    form = {"language_0": "be", "language_1": "ru", "language_2": "", "page_language": "be"}
    return client.post(url("preferences", subscription), {**form, **data})


def test_choices_are_saved(client: Client, add_reader: AddReader, security: Topic) -> None:
    subscription = add_reader("en")
    answer = choose(
        client, subscription, topics=[str(security.pk)], content="full", plain_text="on"
    )
    assert answer.status_code == 303
    assert answer["Location"].startswith("/be/preferences/")
    subscription.refresh_from_db()
    assert subscription.languages == ("be", "ru")
    assert subscription.topics == {security.pk}
    assert (subscription.content, subscription.pictures) == ("full", False)
    assert subscription.plain_text
    assert subscription.subscriber.language == "be"
    assert subscription.consents.order_by("pk").last().action == "changed"  # type: ignore[union-attr]
    with translation.override("be"):
        saved = translation.gettext("Your preferences have been saved.")
    assert saved in client.get(answer["Location"]).content.decode()


def test_the_form_shows_what_is_chosen(
    client: Client, add_reader: AddReader, security: Topic
) -> None:
    subscription = add_reader("ru", "be", topics={security.pk}, content="lead")
    page = client.get(url("preferences", subscription, language="ru")).content.decode()
    assert '<option value="ru" selected>русский</option>' in page
    assert "Безопасность" in page
    assert page.count("checked") == 4  # topic, rhythm, amount, pictures


def test_a_language_chosen_twice_counts_once(client: Client, add_reader: AddReader) -> None:
    subscription = add_reader("en")
    choose(client, subscription, language_1="", language_2="be")
    subscription.refresh_from_db()
    assert subscription.languages == ("be",)


def test_a_pause_begins_and_ends(client: Client, add_reader: AddReader) -> None:
    subscription = add_reader("be")
    until = (timezone.now() + timedelta(days=30)).date()
    choose(client, subscription, paused_until=until.isoformat())
    subscription.refresh_from_db()
    assert (subscription.frequency, subscription.paused_until) == ("weekly", until)
    choose(client, subscription, paused_until="")
    subscription.refresh_from_db()
    assert (subscription.frequency, subscription.paused_until) == ("weekly", None)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"frequency": "daily"}, "not one of the available choices"),
        ({"preferred_hour": "24"}, "not one of the available choices"),
        ({"preferred_hour": "noon"}, "not one of the available choices"),
        ({"language_0": ""}, "at least one language"),
        ({"language_0": "ka"}, "does not come in this language"),
        ({"topics": ["999999"]}, "no such topic"),
        ({"topics": ["x"]}, "no such topic"),
        ({"paused_until": "soon"}, "Please enter a date"),
        ({"paused_until": "2017-01-01"}, "This day is over"),
        ({"paused_until": "2999-01-01"}, "a year at most"),
        ({"content": "everything"}, "not one of the available choices"),
        ({"page_language": "ka"}, "not one of the available choices"),
    ],
)
def test_bad_choices_are_told_and_nothing_is_saved(
    client: Client, add_reader: AddReader, data: dict[str, Any], words: str
) -> None:
    subscription = add_reader("en")
    answer = choose(client, subscription, **data)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    subscription.refresh_from_db()
    assert subscription.languages == ("en",)


def test_choices_of_who_left_show_the_way_back(client: Client, add_reader: AddReader) -> None:
    subscription = add_reader("en")
    lifecycle.unsubscribe(subscription.pk)
    page = client.get(url("preferences", subscription))
    assert "You’ve been unsubscribed" in page.content.decode()
    choose(client, subscription)
    assert state(subscription) == State.UNSUBSCRIBED


# --- Leaving ----------------------------------------------------------------------------------
@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_b2_opening_the_links_to_leave_changes_nothing(
    client: Client, add_reader: AddReader, method: str
) -> None:
    subscription = add_reader("en")
    one_click = reverse("one-click", args=[tokens.make(Purpose.UNSUBSCRIBE, subscription.pk)])
    for link in (
        url("unsubscribe", subscription),
        url("undo", subscription),
        url("preferences", subscription),
        one_click,
    ):
        getattr(client, method)(link)
    assert state(subscription) == State.ACTIVE
    assert subscription.consents.count() == 1


@pytest.mark.parametrize("language", ["en", "be", "ru"])
def test_f4_leaving_and_undoing_with_buttons(
    strict: Client, add_reader: AddReader, language: str
) -> None:
    subscription = add_reader("en")
    link = url("unsubscribe", subscription, language=language)
    assert f'<html lang="{language}"' in strict.get(link).content.decode()
    answer = strict.post(link)
    assert (answer.status_code, answer["Location"]) == (303, link)
    assert state(subscription) == State.UNSUBSCRIBED
    undo = url("undo", subscription, language=language)
    assert undo in strict.get(link).content.decode()
    assert strict.post(undo).status_code == 303
    assert state(subscription) == State.ACTIVE


@pytest.mark.parametrize(
    "body",
    [
        ("List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"),
        (
            '--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n'
            "One-Click\r\n--x--\r\n",
            "multipart/form-data; boundary=x",
        ),
    ],
    ids=["urlencoded", "multipart"],
)
def test_a5_one_click(
    strict: Client, add_reader: AddReader, body: tuple[str, str], settings: Any
) -> None:
    subscription = add_reader("en")
    link = reverse("one-click", args=[tokens.make(Purpose.UNSUBSCRIBE, subscription.pk)])
    settings.WORKER_KEYS = None
    for _time in range(2):
        answer = strict.post(link, data=body[0], content_type=body[1])
        assert answer.status_code == 200
        assert not answer.cookies
    assert state(subscription) == State.UNSUBSCRIBED
    assert subscription.consents.filter(action="unsubscribed").count() == 1


def test_a5_one_click_has_committed_when_it_answers() -> None:
    """Requests have no transaction around them; lifecycle's own ends before the answer."""
    assert not connection.settings_dict["ATOMIC_REQUESTS"]


def test_a_refused_token_is_not_in_the_log(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    client.get(f"/en/preferences/{'A' * 36}/")
    client.post(f"/u/{'A' * 36}/")
    assert not caplog.records


@pytest.mark.parametrize(
    "token",
    ["x", "A" * 36, pytest.param(tokens.make(Purpose.PREFERENCES, 1), id="another purpose")],
)
def test_a5_a_forged_one_click_is_refused(strict: Client, token: str) -> None:
    assert strict.post(f"/u/{token}/").status_code == 404


def test_a5_a_person_at_the_one_click_address_sees_the_button(
    client: Client, add_reader: AddReader
) -> None:
    subscription = add_reader("be")
    link = reverse("one-click", args=[tokens.make(Purpose.UNSUBSCRIBE, subscription.pk)])
    page = client.get(link).content.decode()
    assert '<html lang="be"' in page
    assert f'action="{url("unsubscribe", subscription, language="be")}"' in page


def test_other_keys_make_other_tokens(client: Client, add_reader: AddReader, settings: Any) -> None:
    subscription = add_reader("en")
    link = url("unsubscribe", subscription)
    settings.WEB_KEYS = keys.web_keys(keys.temporary()[0])
    assert client.post(link).status_code == 404
    assert state(subscription) == State.ACTIVE
