"""The article page: datelines, language fallback, URLs, visibility, similar articles."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.test import Client

from newsletter.editorial.models import (
    Article,
    ArticleTranslation,
    Issue,
    Picture,
    Topic,
    Trend,
    User,
)
from newsletter.web.articles import plain_text
from newsletter.web.similar import nearest
from tests.conftest import WriteArticle
from tests.pictures import figure, photograph
from tests.web.parsed_page import ParsedPage


def slug_in(article: Article, language: str) -> str:
    return str(article.translations.get(language=language).slug)


def open_article(client: Client, article: Article, language: str) -> ParsedPage:
    response = client.get(f"/{language}/articles/{slug_in(article, language)}/")
    assert response.status_code == 200
    return ParsedPage(response)


# --- Datelines --------------------------------------------------------------------------------
def test_with_a_trend_the_dateline_is_the_week(client: Client, army: Article) -> None:
    page = open_article(client, army, "en")
    assert "July 24 – July 30, 2017" in page.text
    assert "The situation has worsened" in page.text
    assert "August 1, 2017" not in page.text


def test_without_a_trend_the_dateline_is_the_local_time_of_publication(
    client: Client, army: Article, worsened: Trend
) -> None:
    worsened.delete()
    page = open_article(client, army, "en")
    assert "August 1, 2017 09:00" in page.text  # 06:00 UTC in Minsk
    assert page.all("time", datetime="2017-08-01T09:00+03:00")


@pytest.mark.parametrize(
    ("dateline", "expected"),
    [("week", "July 24 – July 30, 2017"), ("moment", "August 1, 2017 09:00")],
)
def test_the_editors_choice_of_dateline_wins(
    client: Client, army: Article, dateline: str, expected: str
) -> None:
    Article.objects.update(dateline=dateline)
    page = open_article(client, army, "en")
    assert len(page.all("article", **{"class": f"full by-{dateline}"})) == 1
    assert expected in page.text
    assert "The situation has worsened" in page.text


def test_an_article_needs_neither_issue_nor_topic_nor_picture(
    client: Client, write_article: WriteArticle
) -> None:
    page = open_article(client, write_article(be="Сама па сабе"), "be")
    assert "1 жніўня 2017" in page.text


def test_the_label_of_a_credit_is_in_the_pages_language(client: Client, army: Article) -> None:
    page = open_article(client, army, "en")
    assert "Photo: river.example" in page.text
    assert page.all("img", width="4", height="3")


def test_a_page_offers_the_picture_in_several_widths(client: Client, army: Article) -> None:
    army.picture = Picture.objects.create(file=photograph(2400, 1600))
    army.save()
    image = open_article(client, army, "en").all("img", width="1600", height="1067")[0]
    widths = [part.rpartition(" ")[2] for part in image["srcset"].split(", ")]
    assert widths == ["320w", "640w", "960w", "1280w", "1600w"]
    assert image["sizes"]


def test_a_page_offers_the_pictures_in_a_text_in_several_widths(
    client: Client, army: Article
) -> None:
    picture = Picture.objects.create(file=photograph(2400, 1600))
    army.translations.update(body=figure(picture, "The river in spring"))
    image = open_article(client, army, "en").all("img", alt="The river in spring")[0]
    widths = [part.rpartition(" ")[2] for part in image["srcset"].split(", ")]
    assert widths == ["320w", "640w", "960w", "1280w", "1600w"]
    assert (image["width"], image["height"], image["loading"]) == ("1600", "1067", "lazy")


def test_a_credit_is_shown_even_without_a_picture(client: Client, army: Article) -> None:
    Article.objects.filter(pk=army.pk).update(picture=None, credit="river.example")
    page = open_article(client, army, "ru")
    assert "Фото: river.example" in page.text
    assert not page.all("img")


def test_a_correction_shows_its_date(client: Client, army: Article) -> None:
    ArticleTranslation.objects.filter(language="en").update(
        correction="The village was another.",
        corrected_at=datetime(2017, 8, 3, 10, 30, tzinfo=UTC),
    )
    text = open_article(client, army, "en").text
    assert "August 3, 2017 13:30" in text
    assert "The village was another." in text


# --- Languages --------------------------------------------------------------------------------
def test_a_fallback_translation_is_labelled_with_its_language(
    client: Client, russian_only: Article
) -> None:
    slug = slug_in(russian_only, "ru")
    page = ParsedPage(client.get(f"/be/articles/{slug}/"))
    assert page.all("h1", lang="ru", dir="ltr")
    assert page.all("span", class_="language")
    assert page.canonical == f"{settings.SITE_URL}/ru/articles/{slug}/"
    assert page.alternates == {}  # only the canonical page has translations
    assert page.all("html", lang="be")


def test_lists_label_fallback_translations(client: Client, russian_only: Article) -> None:
    page = ParsedPage(client.get("/be/issues/weekly/2017-07-24/"))
    (link,) = [a for a in page.all("a", lang="ru") if "/articles/" in a["href"]]
    assert link["href"] == f"/be/articles/{slug_in(russian_only, 'ru')}/"
    assert page.all("span", class_="language")


def test_the_language_switch_leads_to_each_translation(
    client: Client, army: Article, russian_only: Article
) -> None:
    assert open_article(client, army, "en").language_switch == {
        code: f"/{code}/articles/{slug_in(army, code)}/" for code in ("en", "be", "ru")
    }
    slug = slug_in(russian_only, "ru")
    assert open_article(client, russian_only, "ru").language_switch["be"] == f"/be/articles/{slug}/"


def test_another_translations_slug_redirects(client: Client, army: Article) -> None:
    response = client.get(f"/be/articles/{slug_in(army, 'en')}/")
    assert response.status_code == 302
    assert response["Location"] == f"/be/articles/{slug_in(army, 'be')}/"


def test_two_translations_may_have_the_same_slug(client: Client, army: Article) -> None:
    ArticleTranslation.objects.update(slug="army")
    for language, headline in {"en": "Army news", "be": "Навіны войска"}.items():
        assert headline in ParsedPage(client.get(f"/{language}/articles/army/")).text


def test_a_withdrawn_translations_slug_redirects_to_the_fallback(
    client: Client, army: Article
) -> None:
    slug = slug_in(army, "be")
    ArticleTranslation.objects.filter(language="be").update(state="review")
    response = client.get(f"/be/articles/{slug}/")
    assert response["Location"] == f"/be/articles/{slug_in(army, 'ru')}/"


def test_plain_text_separates_paragraphs_but_not_punctuation() -> None:
    assert (
        plain_text("<p><b>One</b>, two.</p><p>Three<br>&amp; four</p>") == "One, two. Three & four"
    )


# --- What is public ---------------------------------------------------------------------------
def test_drafts_and_future_articles_are_not_public(
    client: Client, army: Article, draft: Article, embargoed: Article
) -> None:
    for article in (draft, embargoed):
        assert client.get(f"/en/articles/{slug_in(article, 'en')}/").status_code == 404
    listed = ParsedPage(client.get("/en/issues/weekly/2017-07-24/")).text
    assert "Army news" in listed
    assert "Not yet written" not in listed
    assert "Of the future" not in listed


def test_staff_see_a_draft_with_a_note(client: Client, draft: Article, editor: User) -> None:
    client.force_login(editor)
    page = open_article(client, draft, "en")
    assert "Not public." in page.text
    assert page.all("meta", name="robots", content="noindex")


def test_an_issue_is_public_when_approved_with_a_public_article(
    client: Client, army: Article, published: Issue, editor: User
) -> None:
    url = "/en/issues/weekly/2017-07-24/"
    assert client.get(url).status_code == 200
    Issue.objects.update(state=Issue.State.DRAFT)
    assert client.get(url).status_code == 404
    client.force_login(editor)
    assert "Not public." in ParsedPage(client.get(url)).text
    Issue.objects.update(kind=Issue.Kind.BREAK)
    assert client.get(url).status_code == 404


def test_an_issue_has_one_url(client: Client, army: Article, published: Issue) -> None:
    for key in ("20170724", "2017-07-25", "2017-W30-1", "nothing"):
        assert client.get(f"/en/issues/weekly/{key}/").status_code == 404
    Issue.objects.update(kind=Issue.Kind.SPECIAL, slug="elections")
    assert client.get("/en/issues/weekly/elections/").status_code == 200
    assert client.get("/en/issues/weekly/2017-07-24/").status_code == 404


# --- Similar ----------------------------------------------------------------------------------
DAY = datetime(2017, 7, 10, tzinfo=UTC)


def days(**offsets: int) -> list[tuple[int, datetime]]:
    return [(int(name[1:]), DAY + timedelta(days=n)) for name, n in offsets.items()]


def test_the_nearest_candidates_on_both_sides_newest_first() -> None:
    candidates = days(a1=-1, a2=-2, a3=-30, a4=3, a5=40)
    assert nearest(DAY, candidates) == [4, 1, 2]
    assert nearest(DAY, candidates, limit=1) == [1]
    assert nearest(DAY, []) == []


def test_the_nearest_articles_of_the_topic_are_similar(
    client: Client, army: Article, write_article: WriteArticle, security: Topic
) -> None:
    for n in (-40, -3, 2, 5, 60):
        when = army.published_at + timedelta(days=n)
        write_article(topic=security, published_at=when, en=f"Day {n}.")
    write_article(published_at=army.published_at, en="Of no topic.")
    response = client.get(f"/en/articles/{slug_in(army, 'en')}/")
    assert [s.text.headline for s in response.context["similar"]] == ["Day 5.", "Day 2.", "Day -3."]


def test_the_editors_picks_come_first_if_public(
    client: Client, army: Article, draft: Article, write_article: WriteArticle, security: Topic
) -> None:
    write_article(topic=security, en="Same topic")
    pick = write_article(en="Picked")
    army.similar.set([pick, draft])
    response = client.get(f"/en/articles/{slug_in(army, 'en')}/")
    assert [s.text.headline for s in response.context["similar"]] == ["Picked"]


def test_an_article_is_not_similar_to_itself(client: Client, army: Article) -> None:
    army.similar.set([army])
    response = client.get(f"/en/articles/{slug_in(army, 'en')}/")
    assert response.context["similar"] == []


def test_the_sidebar_has_recent_trends_and_the_latest_issue(client: Client, army: Article) -> None:
    response = client.get(f"/ru/articles/{slug_in(army, 'ru')}/")
    (week,) = response.context["recent"]
    assert (week.status, week.dates) == ("worsened", "24–30 июля 2017")
    assert "/ru/issues/weekly/2017-07-24/" in response.content.decode()
    assert "/ru/issues/" in [a["href"] for a in ParsedPage(response).all("a")]


def test_the_topic_page_describes_the_trend_of_each_week(
    client: Client, army: Article, security: Topic
) -> None:
    Trend.objects.create(topic=security, week=datetime(2017, 7, 10).date(), status="improved")
    response = client.get("/en/topics/security/")
    assert [week.status for week in response.context["timeline"]] == ["improved", "", "worsened"]
    text = ParsedPage(response).text
    assert "July 10 – July 16, 2017: The situation has improved" in text
    assert "July 17 – July 23, 2017: No status" in text
