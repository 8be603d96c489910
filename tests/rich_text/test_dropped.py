"""What cleaning can't keep is removed, and named."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.translation import override

from newsletter.editorial.cleaning import clean
from newsletter.editorial.importing import import_document
from newsletter.editorial.rich_text.dropped import Kind
from newsletter.editorial.rich_text.links import unwrap, without_tracking
from tests.e2e.content import document


@pytest.mark.parametrize(
    ("html", "kept", "kind"),
    [
        ('<p>a<img src="https://e.example/1.gif" width="1" height="1"></p>', "<p>a</p>", "PIXEL"),
        ('<p>a<img src="https://e.example/1.gif" style="width:0px"></p>', "<p>a</p>", "PIXEL"),
        ('<p>a<img src="https://e.example/big.jpg" width="800"></p>', "<p>a</p>", "PICTURE"),
        ('<p>a<img src="data:image/png;base64,AA"></p>', "<p>a</p>", "PICTURE"),
        ('<p>a<img src="/media/pictures/missing.png"></p>', "<p>a</p>", "PICTURE"),
        ('<p>a<img src="/media/../settings.py"></p>', "<p>a</p>", "PICTURE"),
        ('<p><a href="#part">a</a></p>', "<p>a</p>", "LINK"),
        ('<p><a href="page.html">a</a></p>', "<p>a</p>", "LINK"),
        ('<p><a href="/be/">a</a></p>', "<p>a</p>", "LINK"),
        ('<p><a href="file:///C:/a.docx">a</a></p>', "<p>a</p>", "LINK"),
        ('<p><a href="made-up:x">a</a></p>', "<p>a</p>", "LINK"),
        ('<p>a</p><iframe src="https://e.example/v"></iframe>', "<p>a</p>", "EMBEDDED"),
        ("<p>a<video src='https://e.example/v'></video></p>", "<p>a</p>", "EMBEDDED"),
        ("<p>a <u>b</u></p>", "<p>a b</p>", "FORMATTING"),
        ("<p>a <mark>b</mark></p>", "<p>a b</p>", "FORMATTING"),
        ('<p>a<span style="display:none"> b</span></p>', "<p>a</p>", "HIDDEN"),
        (
            '<p>a</p><ol class="notes"><li id="note-1">b</li></ol>',
            '<p>a</p><ol class="notes"><li id="note-1">b</li></ol>',
            "NOTE",
        ),
    ],
)
def test_what_cannot_be_kept_is_named(html: str, kept: str, kind: str) -> None:
    cleaned = clean(html)
    assert cleaned.html == kept
    assert [each.kind for each in cleaned.dropped] == [Kind[kind]]


def test_the_messages_are_in_the_editors_language() -> None:
    (dropped,) = clean("<p>a <u>b</u></p>").dropped
    assert str(dropped) == "Formatting was removed (underline or highlight): b"
    with override("ru"):
        assert str(dropped).startswith("Убрано оформление")


def test_an_underlined_link_is_only_a_link() -> None:
    assert clean('<p><u><a href="https://e.example/">a</a></u></p>').dropped == ()


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://www.google.com/url?q=https://e.example/a&sa=D", "https://e.example/a"),
        ("https://google.by/url?sa=t&url=https%3A%2F%2Fe.example%2F", "https://e.example/"),
        ("https://l.facebook.com/l.php?u=https%3A%2F%2Fe.example%2F&h=x", "https://e.example/"),
        ("https://vk.com/away.php?to=https%3A%2F%2Fe.example", "https://e.example"),
        (
            "https://l.facebook.com/l.php?u=https%3A%2F%2Fwww.google.com%2Furl%3Fq%3Dhttps%253A%252F"
            "%252Fe.example",
            "https://e.example",
        ),
        ("https://www.google.com/url?q=javascript:x", "https://www.google.com/url?q=javascript:x"),
        ("https://www.google.com/search?q=https://e.example", None),
        ("https://e.example/url?q=https://other.example", None),
    ],
)
def test_redirects_are_unwrapped(url: str, target: str | None) -> None:
    assert unwrap(url) == (target or url)


@pytest.mark.parametrize(
    ("url", "clean_url"),
    [
        ("https://e.example/?utm_source=a&UTM_Medium=b", "https://e.example/"),
        ("https://e.example/?a=%D0%B0&fbclid=1&b=1+2#c", "https://e.example/?a=%D0%B0&b=1+2#c"),
        ("https://e.example/?gclid=1&yclid=2&mc_cid=3&mc_eid=4&q=", "https://e.example/?q="),
        ("https://e.example/?utm=1&my_utm_x=2", "https://e.example/?utm=1&my_utm_x=2"),
    ],
)
def test_tracking_parameters_are_removed_and_nothing_else(url: str, clean_url: str) -> None:
    assert without_tracking(url) == clean_url


def test_our_own_pictures_are_kept_with_caption_and_credit() -> None:
    name = default_storage.save("pictures/паром 1.png", ContentFile(b"png"))
    url = default_storage.url(name)
    html = (
        f'<figure><img src="{url}" alt="Паром"><figcaption>Удзень <small>Фота: Я. К.</small>'
        "</figcaption></figure>"
    )
    assert clean(html).html == html
    absolute = html.replace(url, f"http://127.0.0.1:8000{url}")
    assert clean(absolute) == clean(html)


@pytest.mark.django_db
def test_an_import_lists_what_it_dropped_with_its_location(tmp_path: Path) -> None:
    data = document("weekly", {})
    body = '<p>a</p><img src="https://elsewhere.example/b.jpg" alt="b">'
    data["articles"] = [
        {
            "published_at": "2017-08-01T09:00:00+03:00",
            "translations": {"en": {"headline": "A", "body": body}},
        }
    ]
    report = import_document(data, base=tmp_path)
    [lost] = report.losses
    assert str(lost) == (
        "articles[0].translations.en.body: A picture was removed because it isn’t stored here: "
        "b (https://elsewhere.example/b.jpg)"
    )
    assert import_document(data, base=tmp_path).is_empty
