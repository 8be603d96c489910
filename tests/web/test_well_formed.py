"""Feeds and sitemap stay well-formed whatever is stored, even past the forms (H1)."""

from __future__ import annotations

import shutil
import subprocess
from xml.etree import ElementTree  # it only parses our own output

from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.editorial.models import (
    Article,
    ArticleTranslation,
    Issue,
    Newsletter,
    NewsroomTranslation,
    Topic,
)
from tests.lib.odd_characters import KEPT, REFUSED

# Databases refuse half a surrogate pair, and PostgreSQL refuses NUL too.
STORABLE = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
TEXTS = st.text(STORABLE | st.sampled_from((*REFUSED[1:], *KEPT, *"<>&]]>\"'")), max_size=30)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(TEXTS, TEXTS, TEXTS)
def test_any_text_makes_a_well_formed_feed_and_sitemap(
    client: Client, army: Article, first: str, second: str, third: str
) -> None:
    ArticleTranslation.objects.filter(article=army).update(
        headline=first[:250], lead=second, body=f"<p>{third}</p>", authors=third[:300]
    )
    NewsroomTranslation.objects.update(name=first[:120], tagline=second[:200])
    assert_well_formed(client)


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(TEXTS)
def test_any_slug_makes_a_well_formed_feed_and_sitemap(
    client: Client, army: Article, slug: str
) -> None:
    ArticleTranslation.objects.filter(article=army, language="en").update(slug=slug)
    Topic.objects.update(slug=slug)
    Newsletter.objects.update(slug=slug)
    Issue.objects.update(kind=Issue.Kind.SPECIAL, slug=slug or "-")
    assert_well_formed(client)


def assert_well_formed(client: Client) -> None:
    for path in ("/en/feed.xml", "/sitemap.xml"):
        answer = client.get(path)
        assert answer.status_code == 200
        ElementTree.fromstring(answer.content)  # noqa: S314
        if xmllint := shutil.which("xmllint"):
            command = [xmllint, "--noout", "--nonet", "-"]
            checked = subprocess.run(command, input=answer.content, check=False)
            assert checked.returncode == 0
