"""A headline that names its topic makes the topic line redundant."""

from __future__ import annotations

import pytest

from newsletter.digest.content import Article, Topic
from newsletter.digest.topics import names_topic
from tests.digest.cast import edition, write_issue, write_text


@pytest.mark.parametrize(
    ("headline", "topic"),
    [
        ("Security: influence of the army", "Security issues"),
        ("SECURITY ISSUES: a quiet week", "Security issues"),
        ("Society and political parties: a quiet week", "Society and political parties"),
        ("Бяспека: ціхі тыдзень", "Пытанні бяспекі"),
        ("Безопасность: тихая неделя", "Вопросы безопасности"),
        ("Belarus–West relations: a thaw", "Belarus–West relations"),
        ("The ruling elite: new names", "The ruling elite"),
    ],
)
def test_a_headline_may_start_with_its_topic(headline: str, topic: str) -> None:
    assert names_topic(headline, topic)


@pytest.mark.parametrize(
    ("headline", "topic"),
    [
        ("Security improves on the river", "Security issues"),
        ("Belarus: a long summer", "Belarus–Russia relations"),
        ("The ferry: what it costs", "The ruling elite"),
        ("Security and the river: what changed", "Security issues"),
        (": no beginning", "Security issues"),
        ("Security: something", ""),
        ("", "Security issues"),
    ],
)
def test_other_headlines_do_not_name_their_topic(headline: str, topic: str) -> None:
    assert not names_topic(headline, topic)


def test_the_topic_is_shown_once() -> None:
    topic = Topic(1, {"en": "Security issues"})
    redundant = write_issue(Article(1, {"en": write_text("en", "Security: a week")}, topic))
    needed = write_issue(Article(1, {"en": write_text("en", "A quiet week")}, topic))
    assert "Security issues" not in edition(redundant, "en").html
    assert edition(needed, "en").html.count("Security issues") == 1
    assert edition(needed, "en").text.count("Security issues") == 1
