"""The pages that a reader can open, and axe-core, which checks them (A13)."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.urls import resolve, reverse
from django.utils import translation

from newsletter.delivery.models import Edition
from newsletter.editorial.models import Article
from subscribers.links import tokens
from subscribers.links.tokens import LinkPurpose
from subscribers.models import Subscription, TransactionalEmail


def path(name: str, purpose: LinkPurpose, pk: int) -> str:
    with translation.override("en"):
        return reverse(f"subscribers:{name}", args=[tokens.make(purpose, pk)])


def axe_script() -> str:
    """Return axe-core's source, from the file named by `AXE` (.ci/run) or node_modules."""
    path = os.environ.get("AXE", "node_modules/axe-core/axe.min.js")
    if not Path(path).is_file():
        pytest.skip("axe-core isn't installed: npm install axe-core, or AXE=…/axe.min.js")
    return Path(path).read_text(encoding="utf-8")


NOT_PAGES = {
    "send-latest",
    "undo",
    "your-data",
    "unsubscribe-all",
    "preview-email",
    "feed",
    "one-click",
}
NOT_PAGES |= {
    "one-click-without-slash",
    "embedded-without-slash",
    "challenge",
    "healthz",
    "readyz",
    "robots",
    "sitemap",
}
"""URL names that show no page: they redirect, serve programs or return an email."""


def all_pages(reader: Subscription, pending: Subscription, change: TransactionalEmail) -> list[str]:
    own = ("account", "delete-data", "change-address")
    unsubscribed = Subscription.objects.get(state="unsubscribed")
    edition = Edition.objects.get()
    return [
        "/en/",
        "/be/",
        "/ru/",
        "/en/issues/",
        "/en/issues/weekly/2017-07-24/",
        Article.objects.get().get_absolute_url(),
        "/en/topics/security/",
        "/en/about/",
        "/en/privacy/",
        "/en/nothing-here/",
        f"/view/{edition.public_id}/",
        path("unsubscribe", LinkPurpose.UNSUBSCRIBE, unsubscribed.pk),
        path("preferences", LinkPurpose.PREFERENCES, unsubscribed.pk),
        path("confirm", LinkPurpose.CONFIRM, unsubscribed.pk),
        "/en/subscribe/",
        "/en/subscribe/sent/",
        "/en/preferences/",
        "/en/preferences/sent/",
        "/en/embed/weekly/",
        "/en/embed/weekly/sent/",
        "/en/test-email/",
        "/en/account/deleted/",
        "/en/account/change-address/done/",
        "/en/account/change-address/sent/",
        f"/en/confirm/{'A' * 36}/",
        path("confirm", LinkPurpose.CONFIRM, pending.pk),
        path("welcome", LinkPurpose.CONFIRM, reader.pk),
        path("preferences", LinkPurpose.PREFERENCES, reader.pk),
        path("preview", LinkPurpose.PREFERENCES, reader.pk),
        path("unsubscribe", LinkPurpose.UNSUBSCRIBE, reader.pk),
        path("confirm-change", LinkPurpose.CHANGE_ADDRESS, change.pk),
        *[path(name, LinkPurpose.ACCOUNT, reader.pk) for name in own],
    ]


def url_names(paths: list[str]) -> set[str | None]:
    """Return the URL names of these paths."""
    found = set()
    for path in paths:
        language = path.split("/")[1]
        with translation.override(language if language in {"be", "ru"} else "en"):
            if path != "/en/nothing-here/":
                found.add(resolve(urlsplit(path).path).url_name)
    return found
