"""The order of an issue's articles."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from newsletter.editorial import ordering
from newsletter.editorial.models import Article, Issue
from newsletter.editorial.ordering import OrderChange, StaleOrderError, difference
from tests.conftest import WriteArticle

pytestmark = pytest.mark.django_db


@pytest.fixture
def three(issue: Issue, write_article: WriteArticle) -> list[int]:
    return [write_article(issue=issue, en=name).pk for name in ("One", "Two", "Three")]


def positions(issue: Issue) -> list[tuple[str, int]]:
    return [(str(article), article.position) for article in issue.articles.all()]


def test_new_articles_go_to_the_end_with_a_position_of_their_own(
    issue: Issue, three: list[int]
) -> None:
    assert positions(issue) == [("One", 1), ("Two", 2), ("Three", 3)]


def test_an_article_saved_at_a_taken_position_moves_the_others_down(
    issue: Issue, three: list[int], write_article: WriteArticle
) -> None:
    article = write_article(en="New")
    article.issue, article.position = issue, 2
    article.full_clean()
    article.save(update_fields=["issue", "position"])
    assert positions(issue) == [("One", 1), ("New", 2), ("Two", 3), ("Three", 4)]


def test_saving_an_article_again_leaves_the_order_alone(issue: Issue, three: list[int]) -> None:
    Article.objects.get(pk=three[1]).save()
    assert positions(issue) == [("One", 1), ("Two", 2), ("Three", 3)]


def test_the_database_refuses_two_articles_with_one_position(three: list[int]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Article.objects.filter(pk=three[0]).update(position=2)


def test_an_order_is_arranged(issue: Issue, three: list[int]) -> None:
    first, second, third = three
    assert ordering.arrange(issue, [third, first, second], seen=three)
    assert positions(issue) == [("Three", 1), ("One", 2), ("Two", 3)]
    assert not ordering.arrange(issue, [third, first, second], seen=[third, first, second])


def test_an_older_page_doesnt_revert_a_newer_order(issue: Issue, three: list[int]) -> None:
    """I1: the error says what has changed."""
    first, second, third = three
    ordering.arrange(issue, [third, first, second], seen=three)
    with pytest.raises(StaleOrderError) as stale:
        ordering.arrange(issue, [second, first, third], seen=three)
    assert stale.value.change == OrderChange(moved=[third], added=[], removed=[])
    assert stale.value.current == [third, first, second] == ordering.order_of(issue)


def test_an_order_with_a_missing_or_foreign_article_is_refused(
    issue: Issue, three: list[int], write_article: WriteArticle
) -> None:
    elsewhere = write_article(en="Elsewhere").pk
    for wanted in (three[:2], [*three, elsewhere], [three[0], three[0], three[1]]):
        with pytest.raises(StaleOrderError):
            ordering.arrange(issue, wanted, seen=three)
    assert ordering.order_of(issue) == three


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ([1, 2, 3], [1, 2, 3], OrderChange([], [], [])),
        ([1, 2, 3, 4], [4, 1, 2, 3], OrderChange([4], [], [])),
        ([1, 2, 3], [1, 3], OrderChange([], [], [2])),
        ([1, 2], [1, 5, 2], OrderChange([], [5], [])),
        ([1, 2, 3, 4], [3, 1, 2, 6], OrderChange([3], [6], [4])),
    ],
)
def test_a_difference_names_as_few_articles_as_possible(
    before: list[int], after: list[int], change: OrderChange
) -> None:
    assert difference(before, after) == change
    assert bool(change) == (before != after)


def test_articles_are_appended_and_taken_out(
    issue: Issue, three: list[int], write_article: WriteArticle
) -> None:
    new = write_article(en="New").pk
    ordering.append(issue, [new])
    assert ordering.take_out(issue, three[0])
    assert not ordering.take_out(issue, three[0]), "it is no longer in the issue"
    assert ordering.order_of(issue) == [*three[1:], new]
    assert Article.objects.get(pk=three[0]).issue is None
