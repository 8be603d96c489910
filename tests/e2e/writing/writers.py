"""People who write at once in the browser tests: their newsroom, and what they do on the page."""

from __future__ import annotations

import json
from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.site import Site

Open = Callable[..., Page]
"""Signs somebody in, in a separate browser, and opens a text (the fixture `opened`)."""
PASSWORD = "sign-me-in"
SETUP = f"""
from django.contrib.auth.models import Group
from newsletter.editorial.models import Membership, Newsletter, User
for name, group in (("hanna", "Publisher"), ("vera", "Publisher"), ("zoya", "Translator")):
    user = User.objects.create_user(name, password={PASSWORD!r}, is_staff=True,
                                    first_name=name.title())
    Membership.objects.create(user=user, role=Group.objects.get(name=group))
Newsletter.objects.create(slug="writing", languages=["en", "be", "ru"],
                          sender_address="desk@news.example.org")
"""
ARTICLE = """
from newsletter.editorial.models import Article, ArticleTranslation, Newsletter
article = Article.objects.create(newsletter=Newsletter.objects.get(slug="writing"))
for language, headline in (("en", "Low water"), ("be", "Нізкая вада")):
    ArticleTranslation.objects.create(article=article, language=language, headline=headline,
        lead="one two three", body="<p>First.</p><p>Second.</p>", state={state!r})
print(article.pk)
"""
STORED = """
import json
from newsletter.editorial.models import Article
article = Article.objects.get(pk={article})
texts = {{text.language: [text.lead, text.body] for text in article.translations.all()}}
words = [[row.kind, json.dumps(row.content, ensure_ascii=False)] for row in article.revisions.all()]
print(json.dumps([texts, words]))
"""


def sign_in(context: BrowserContext, name: str) -> Page:
    page = context.new_page()
    page.goto("/admin/login/")
    page.locator("[name=username]").fill(name)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=password]").press("Enter")
    page.wait_for_url("**/admin/")
    return page


def new_article(site: Site, *, state: str = "draft") -> int:
    return int(site.shell(ARTICLE.format(state=state)))


def stored(site: Site, article: int) -> tuple[dict[str, list[str]], list[tuple[str, str]]]:
    """Return (lead and body by language, kind and content of each revision)."""
    texts, words = json.loads(site.shell(STORED.format(article=article)))
    return texts, [(kind, content) for kind, content in words]


def is_kept(site: Site, article: int, words: str) -> bool:
    return any(words in content for _kind, content in stored(site, article)[1])


def write(page: Page, text: str) -> None:
    page.get_by_label("Lead", exact=True).fill(text)


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()


def said(page: Page, text: str, *, seconds: float = 20) -> None:
    expect(page.locator("[data-savestate]")).to_contain_text(text, timeout=seconds * 1000)
