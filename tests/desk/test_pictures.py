"""Pictures at the desk: a file's fault is named at its field, and the picker."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from newsletter.delivery.models import Mailing
from newsletter.editorial.models import Article, Issue, Newsroom, Picture
from tests.conftest import WriteArticle
from tests.delivery.conftest import AddReader, prepare_mailing, send_all_due
from tests.delivery.conftest import add_reader as add_reader
from tests.delivery.conftest import relay as relay
from tests.desk.forms import form_data
from tests.editorial.test_content import draw_picture
from tests.pictures import photograph, png_of

ADD = "/admin/editorial/picture/add/"
PICTURES = "/admin/editorial/picture/"


def _upload(client: Client, content: bytes, name: str = "x.png") -> str:
    file = SimpleUploadedFile(name, content, content_type="image/png")
    data = {"file": file, "kind": "photo", "credit": "A. Pen"}
    return client.post(ADD, data, follow=True).content.decode()


def _error_at_file(page: str) -> str:
    found = re.search(r'<div class="form-row[^"]*errors[^"]*field-file">(.*?)</ul>', page, re.S)
    assert found, page
    return re.sub(r"<[^>]+>", " ", found[1])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"x" * 22_000_000, "has 22 MB. The limit is 20 MB. Make it smaller"),
        (png_of(12_000, 8_400), "100.8 megapixels (12000 × 8400 pixels). The limit is 64"),
        (png_of(100_000, 100_000), "The limit is 64 megapixels. Scale it down"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG drawing"),
        (b"just text", "This is a text file, not a picture, whatever its name says"),
        (b"%PDF-1.4", "This is a PDF document"),
        (draw_picture(size=(400, 300)).read()[:200], "damaged or incomplete"),
        (b"", "The file is empty"),
    ],
    ids=["22MB", "100MP", "30GB", "svg", "text", "pdf", "broken", "empty"],
)
def test_the_field_says_what_is_wrong_and_nothing_is_stored(
    content: bytes, words: str, as_publisher: Client
) -> None:
    """Issue 12: no picture is ever stored without a file, and no message says that it was."""
    page = _upload(as_publisher, content)
    assert words in _error_at_file(page)
    assert 'value="A. Pen"' in page
    assert 'class="success"' not in page
    assert not Picture.objects.exists()


def test_a_form_without_a_file_is_refused(as_publisher: Client) -> None:
    page = as_publisher.post(ADD, {"kind": "photo", "credit": "A. Pen"}).content.decode()
    assert "Choose a picture file." in _error_at_file(page)
    assert not Picture.objects.exists()


def test_a_logo_that_is_too_large_keeps_the_old_one(
    as_publisher: Client, newsroom: Newsroom, weekly: object
) -> None:
    newsroom.logo = draw_picture()
    newsroom.save()
    url = reverse("admin:editorial_newsroom_change", args=[newsroom.pk])
    data = form_data(as_publisher, url)
    data["logo"] = SimpleUploadedFile("logo.png", b"x" * 22_000_000)
    page = as_publisher.post(url, data).content.decode()
    assert "has 22 MB. The limit is 20 MB" in page
    before = newsroom.logo.name
    newsroom.refresh_from_db()
    assert newsroom.logo.name == before


def test_a_large_photo_is_scaled_and_the_editor_is_told(as_publisher: Client) -> None:
    page = _upload(as_publisher, photograph(5000, 3000, detail=0).read(), "Паром.jpg")
    assert "scaled down from 5000 × 3000 to 1600 × 960 pixels" in page
    picture = Picture.objects.get()
    assert (picture.name, picture.width) == ("Паром", 1600)


def test_the_upload_field_tells_the_browser_its_limit(as_publisher: Client) -> None:
    page = as_publisher.get(ADD).content.decode()
    assert 'data-max-bytes="20000000"' in page
    assert "desk/uploads.js" in page
    assert 'accept="image/jpeg,image/png,image/webp,image/gif"' in page


@pytest.fixture
def river(db: None) -> Picture:
    return Picture.objects.create(file=photograph(700, 400), name="Рака Ёлка", credit="Сям’я Пяро")


@pytest.fixture
def ferry(db: None) -> Picture:
    return Picture.objects.create(file=photograph(600, 400, seed=2), name="Ferry")


def test_the_list_shows_name_credit_usage_and_size(
    river: Picture, ferry: Picture, write_article: WriteArticle, as_publisher: Client
) -> None:
    for headline in ("One", "Two"):
        write_article(en=headline)
    Article.objects.update(picture=river)
    page = as_publisher.get(PICTURES).content.decode()
    for words in (
        "Рака Ёлка",
        "Сям’я Пяро",
        "in 2 articles",
        "not used in any article",
        "700 px wide",
    ):
        assert words in page
    unused = as_publisher.get(PICTURES, {"usage": "unused"}).content.decode()
    assert "Ferry" in unused
    assert "Рака" not in unused
    used = as_publisher.get(PICTURES, {"usage": "used"}).content.decode()
    assert "Ferry" not in used


def test_a_picture_inside_a_text_counts_as_used(
    river: Picture, write_article: WriteArticle, as_publisher: Client
) -> None:
    article = write_article(en="Headline")
    article.translations.update(body=f'<img src="/media/{river.thumbnail.name}">')
    assert "in 1 article" in as_publisher.get(PICTURES).content.decode()
    assert "Рака" not in as_publisher.get(PICTURES, {"usage": "unused"}).content.decode()


def test_a_picture_in_an_introduction_is_not_offered_as_unused(
    river: Picture, issue: Issue, as_publisher: Client
) -> None:
    def unused() -> str:
        return as_publisher.get(PICTURES, {"usage": "unused"}).content.decode()

    assert "Рака" in unused()
    text = issue.translations.create(language="be", subject="Тэма")
    type(text).objects.update(introduction=f'<img src="/media/{river.thumbnail.name}">')
    assert "Рака" not in unused()


@pytest.mark.parametrize("words", ["рака", "ЕЛКА", "сям'я", "пяро рака", "Загал"])
def test_pictures_are_found_however_the_words_are_written(
    words: str, river: Picture, ferry: Picture, write_article: WriteArticle, as_publisher: Client
) -> None:
    """H5."""
    article = write_article(en="Headline", be="Загаловак")
    Article.objects.filter(pk=article.pk).update(picture=river)
    for url in (PICTURES, reverse("admin:editorial_picture_picker")):
        page = as_publisher.get(url, {"q": words}).content.decode()
        assert "Рака Ёлка" in page
        assert "Ferry" not in page


def test_the_picker_pages_through_all_pictures(
    as_publisher: Client, as_translator: Client, client: Client
) -> None:
    first = Picture.objects.create(file=draw_picture(), name="First")
    Picture.objects.bulk_create(
        Picture(file=first.file.name, width=40, height=30, size=100, name=f"P{n}")
        for n in range(30)
    )
    url = reverse("admin:editorial_picture_picker")
    page = as_publisher.get(url).content.decode()
    assert page.count("picture-option") == 24
    assert "31 pictures" in page
    assert 'data-next="2"' in page
    last = as_publisher.get(url, {"page": "2"}).content.decode()
    assert last.count("picture-option") == 7
    assert "data-next" not in last
    alone = as_publisher.get(url, {"id": first.pk}).content.decode()
    assert (alone.count("picture-option"), "First" in alone) == (1, True)
    assert as_translator.get(url).status_code == 200
    assert client.get(url).status_code == 302


def test_the_picker_says_what_a_text_needs_of_a_picture(
    river: Picture, ferry: Picture, write_article: WriteArticle, as_translator: Client
) -> None:
    for number in (1, 2):
        article = write_article(en=f"Headline {number}", be="Загаловак")
        Article.objects.filter(pk=article.pk).update(picture=river)
        article.translations.filter(language="be").update(alt_text=f"Рака {number}")
    url = reverse("admin:editorial_picture_picker")
    page = as_translator.get(f"{url}?id={river.pk}&language=be").content.decode()
    for value in (
        f'data-src="/media/{river.file.name}"',
        'data-width="700"',
        'data-height="400"',
        'data-alt="Рака 2"',
        'data-credit="Фота: Сям’я Пяро"',
    ):
        assert value in page
    page = as_translator.get(f"{url}?id={ferry.pk}&language=be").content.decode()
    assert 'data-alt=""' in page
    assert 'data-credit=""' in page
    for language in ("", "en", "%00"):
        page = as_translator.get(f"{url}?id={river.pk}&language={language}").content.decode()
        assert 'data-alt=""' in page
        assert 'data-credit="Photo: Сям’я Пяро"' in page


def test_the_editor_gets_the_pickers_dialog(as_translator: Client, client: Client) -> None:
    url = reverse("admin:editorial_picture_dialog")
    page = as_translator.get(url).content.decode()
    assert f'data-url="{reverse("admin:editorial_picture_picker")}"' in page
    assert 'id="picture_in_text_title"' in page
    assert client.get(url).status_code == 302


def test_the_article_form_has_the_picker_and_works_without_scripts(
    river: Picture, ferry: Picture, issue: Issue, write_article: WriteArticle, as_publisher: Client
) -> None:
    article = write_article(issue=issue, en="Headline")
    Article.objects.update(picture=river)
    url = reverse("admin:editorial_article_change", args=[article.pk])
    page = as_publisher.get(url).content.decode()
    assert "desk/picture_picker.js" in page
    assert f'<option value="{river.pk}" selected>Рака Ёлка (Сям’я Пяро)</option>' in page
    assert "style=" not in page[page.index("picture-picker") : page.index("</dialog>")]
    for chosen in (ferry.pk, ""):
        data = form_data(as_publisher, url)
        assert as_publisher.post(url, {**data, "picture": chosen}).status_code == 302
        article.refresh_from_db()
        assert article.picture_id == (chosen or None)
    answer = as_publisher.post(url, {**form_data(as_publisher, url), "picture": 999_999})
    assert list(answer.context["facts"].errors) == ["picture"]


def test_a_picture_that_is_not_among_the_latest_stays_chosen(
    river: Picture, issue: Issue, write_article: WriteArticle, as_publisher: Client
) -> None:
    Picture.objects.bulk_create(
        Picture(file=river.file.name, width=40, height=30, size=100) for _ in range(150)
    )
    article = write_article(issue=issue, en="Headline")
    Article.objects.update(picture=river)
    url = reverse("admin:editorial_article_change", args=[article.pk])
    page = as_publisher.get(url).content.decode()
    assert f'<option value="{river.pk}" selected>' in page
    assert as_publisher.post(url, form_data(as_publisher, url)).status_code == 302
    article.refresh_from_db()
    assert article.picture == river


def test_the_list_of_pictures_needs_a_fixed_number_of_queries(
    river: Picture, as_publisher: Client, django_assert_max_num_queries: Any
) -> None:
    Picture.objects.bulk_create(
        Picture(file=river.file.name, width=40, height=30, size=100) for _ in range(40)
    )
    with django_assert_max_num_queries(14):
        as_publisher.get(PICTURES)


def test_weights_are_shown_where_the_issue_is_previewed_and_sent(
    relay: object,
    river: Picture,
    issue: Issue,
    write_article: WriteArticle,
    add_reader: AddReader,
    as_publisher: Client,
) -> None:
    """H4: bytes of one email, and of all emails."""
    write_article(issue=issue, en="Headline", be="Загаловак")
    Article.objects.update(picture=river)
    for number in range(3):
        add_reader(f"en{number}@readers.example", "en")
    add_reader("be@readers.example", "be", "ru")
    preview = as_publisher.get(reverse("admin:editorial_issue_preview", args=[issue.pk]))
    page = preview.content.decode()
    assert "One email" in page
    assert ", 1 picture" in page
    assert "for 4 readers" in page
    weight = preview.context["weight"]
    assert preview.context["weight_of_all"] == 4 * weight.total
    send = as_publisher.get(reverse("admin:editorial_issue_send", args=[issue.pk]))
    weights = send.context["weights"]
    assert [(each.readers, each.size is not None) for each in weights] == [(3, True), (1, True)]
    assert send.context["bytes_in_all"] == sum(each.total for each in weights)
    assert "All emails together weigh" in send.content.decode()
    mailing = prepare_mailing(issue)
    send_all_due()
    shown = as_publisher.get(reverse("admin:delivery_mailing_change", args=[mailing.pk]))
    assert "All emails together: " in shown.content.decode()
    sizes = {edition.size for edition in mailing.editions.all()}
    assert min(sizes) > river.email_copy.size


def test_an_issue_that_is_too_heavy_can_be_neither_approved_nor_sent(
    issue: Issue, write_article: WriteArticle, as_publisher: Client
) -> None:
    for number in range(2):
        write_article(issue=issue, en=f"Headline {number}")
    for article in Article.objects.all():
        article.translations.update(body="<p>" + "Слова пра раку. " * 40_000 + "</p>")
    answers = [
        as_publisher.post(reverse(f"admin:editorial_issue_{name}", args=[issue.pk]), follow=True)
        for name in ("approve", "send")
    ]
    for answer in answers:
        assert "nothing above 10.0 MB is sent" in answer.content.decode()
    issue.refresh_from_db()
    assert not issue.is_approved
    assert not Mailing.objects.exists()
