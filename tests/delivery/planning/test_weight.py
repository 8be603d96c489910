"""A limit on the whole email: its weight is known, shown, and above 10 MB it isn't sent (H4)."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes

import pytest
from django.utils import timezone

from newsletter.delivery.models import Edition, Mailing
from newsletter.delivery.planning import snapshot, start
from newsletter.delivery.planning.editions import preview
from newsletter.delivery.planning.weight import weigh
from newsletter.digest.content import EditionOptions
from newsletter.editorial import email_weight
from newsletter.editorial.checks import Severity, find_problems, has_blocker
from newsletter.editorial.models import (
    Article,
    ArticleTranslation,
    Issue,
    IssueTranslation,
    Newsletter,
    Picture,
)
from newsletter.editorial.picture_files import delete_discarded
from newsletter.transport.memory import MemoryTransport
from tests.conftest import WriteArticle
from tests.delivery.conftest import AddReader, prepare_mailing, send_all_due
from tests.pictures import figure, photograph

FULL = "<p>" + "Слова пра раку. " * 40_000 + "</p>"
"""A text of 1.1 MB, 3.2 MB in an email."""


def _illustrate(issue: Issue, write_article: WriteArticle, *, articles: int) -> list[Picture]:
    pictures = []
    for number in range(articles):
        file = photograph(2700, 1800, detail=80, seed=number)
        assert 2_900_000 < file.size < 4_000_000
        pictures.append(Picture.objects.create(file=file))
        article = write_article(issue=issue, en=f"Headline {number}", be=f"Загаловак {number}")
        Article.objects.filter(pk=article.pk).update(picture=pictures[-1])
    return pictures


@pytest.mark.slow
def test_six_photographs_make_an_email_below_one_megabyte(
    relay: MemoryTransport, add_reader: AddReader, issue: Issue, write_article: WriteArticle
) -> None:
    """Issue 12, criterion 4."""
    _illustrate(issue, write_article, articles=6)
    add_reader("ala@readers.example", "en")
    mailing = prepare_mailing(issue)
    send_all_due()
    [message] = relay.delivered
    raw = message.message
    parts = [
        part for part in message_from_bytes(raw).walk() if part.get_content_maintype() == "image"
    ]
    assert len(parts) == 6
    assert len(raw) < email_weight.HEAVY_EMAIL_BYTES
    edition = mailing.editions.get()
    assert edition.size == pytest.approx(len(raw), rel=0.02)
    assert not [problem for problem in find_problems(issue) if "weighs" in problem.text]


@pytest.mark.slow
def test_six_photographs_inside_texts_make_an_email_below_one_megabyte(
    relay: MemoryTransport, add_reader: AddReader, issue: Issue, write_article: WriteArticle
) -> None:
    """Issue 12, criterion 4. Five in an article each, of which two had no copies, and one above."""
    Newsletter.objects.update(content="full")
    issue.newsletter.refresh_from_db()
    pictures = _illustrate(issue, write_article, articles=6)
    Article.objects.update(picture=None)
    Picture.objects.filter(pk__in=[pictures[0].pk, pictures[5].pk]).update(copies={})
    texts = ArticleTranslation.objects.filter(language="en").order_by("pk")
    for text, picture in zip(texts, pictures[:5], strict=False):
        ArticleTranslation.objects.filter(pk=text.pk).update(body=f"<p>A</p>{figure(picture)}")
    IssueTranslation.objects.create(issue=issue, language="en", introduction=figure(pictures[5]))
    assert not [problem for problem in find_problems(issue) if "weighs" in problem.text]
    add_reader("ala@readers.example", "en")
    prepare_mailing(issue)
    send_all_due()
    [message] = relay.delivered
    raw = message.message
    parts = [
        part for part in message_from_bytes(raw).walk() if part.get_content_maintype() == "image"
    ]
    assert len(parts) == 6
    assert 300_000 < len(raw) < email_weight.HEAVY_EMAIL_BYTES
    articles = list(issue.articles.prefetch_related("translations"))
    assert email_weight.estimate(issue, articles) == pytest.approx(len(raw), rel=0.15)


def test_a_heavy_email_is_reported_and_a_monster_is_refused_on_every_route(
    relay: MemoryTransport, add_reader: AddReader, issue: Issue, write_article: WriteArticle
) -> None:
    Newsletter.objects.update(content="full")
    issue.newsletter.refresh_from_db()
    add_reader("ala@readers.example", "en")
    write_article(issue=issue, en="Headline")
    ArticleTranslation.objects.update(body=FULL[:250_000])
    [problem] = [p for p in find_problems(issue) if "weighs" in p.text]
    assert problem.severity == Severity.WARNS
    for number in range(3):
        write_article(issue=issue, en=f"Headline {number}")
    ArticleTranslation.objects.update(body=FULL)
    assert has_blocker(find_problems(issue))
    with pytest.raises(start.CannotSendError, match=r"nothing above 10\.0 MB is sent"):
        prepare_mailing(issue)
    release = start.release_of(issue)
    mailing = snapshot.prepare(Mailing.objects.create(release=release).pk)
    assert (mailing.state, mailing.hold) == (Mailing.State.HELD, Mailing.Hold.UNRENDERABLE)
    assert "nothing above 10.0 MB is sent" in mailing.hold_detail
    assert not Edition.objects.exists()


def test_the_estimate_agrees_with_the_email(issue: Issue, write_article: WriteArticle) -> None:
    file = photograph(1600, 1000, detail=60)
    article = write_article(issue=issue, en="Headline")
    Article.objects.update(picture=Picture.objects.create(file=file))
    ArticleTranslation.objects.update(body=FULL[:30_000])
    issue.newsletter.content = "full"
    rendered = preview(issue, EditionOptions(("en",), "en", length="full"))
    assert rendered
    weight = weigh(rendered)
    articles = list(Article.objects.filter(pk=article.pk).prefetch_related("translations"))
    assert email_weight.estimate(issue, articles) == pytest.approx(weight.total, rel=0.15)
    assert (weight.picture_count, weight.total) == (1, weight.texts + weight.pictures)
    Newsletter.objects.update(pictures="linked")
    linked = preview(issue, EditionOptions(("en",), "en", pictures="linked"))
    assert linked
    assert weigh(linked).pictures == 0


def test_a_missing_picture_file_holds_the_mailing_with_the_reason(
    relay: MemoryTransport,
    add_reader: AddReader,
    issue: Issue,
    write_article: WriteArticle,
    media: object,
) -> None:
    picture = Picture.objects.create(file=photograph(300, 200))
    picture.file.storage.delete(str(picture.file.name))
    write_article(issue=issue, en="Headline")
    Article.objects.update(picture=picture)
    add_reader("ala@readers.example", "en")
    mailing = prepare_mailing(issue)
    assert mailing.hold == Mailing.Hold.UNRENDERABLE
    assert "The file of a picture is missing" in mailing.hold_detail


def test_a_picture_that_is_deleted_meanwhile_is_still_sent(
    relay: MemoryTransport, add_reader: AddReader, issue: Issue, write_article: WriteArticle
) -> None:
    picture = Picture.objects.create(file=photograph(700, 500))
    names = picture.file_names
    write_article(issue=issue, en="Headline")
    Article.objects.update(picture=picture)
    add_reader("ala@readers.example", "en")
    prepare_mailing(issue)
    picture.delete()
    later = timezone.now() + timedelta(minutes=1)
    storage = Picture._meta.get_field("file").storage
    assert delete_discarded(later) == 0
    send_all_due()
    assert len(relay.delivered) == 1
    assert delete_discarded(later) == len(names)
    assert not any(storage.exists(name) for name in names)
