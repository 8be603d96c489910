"""Issues from a JSON document: all of it or, with the place of the fault named, nothing.

Importing the same document again changes nothing. An article is known by its newsletter, its
issue and the slug of its headline in the original language.
"""

from __future__ import annotations

from pathlib import Path

from django.db import transaction

from newsletter.editorial.importing.document import IssueData, Scope, read_article, read_issue
from newsletter.editorial.importing.faults import DocumentError, Node
from newsletter.editorial.importing.files import picture_bytes
from newsletter.editorial.importing.issues import link_similar, store_article, store_issue
from newsletter.editorial.importing.newsletter import (
    scope_of,
    store_newsletter,
    store_newsroom,
    store_topics,
)
from newsletter.editorial.importing.report import ImportReport

__all__ = ["DocumentError", "ImportReport", "import_document"]


def import_document(data: object, *, base: Path) -> ImportReport:
    """Store what the document holds; `base` is the folder that its pictures are relative to.

    Raises DocumentError naming the place; then nothing is stored.
    """
    document = Node(data).only("newsroom", "newsletter", "categories", "issues", "articles")
    report = ImportReport()
    with transaction.atomic():
        newsletter = store_newsletter(document["newsletter"], report)
        store_newsroom(document.child("newsroom", {}), newsletter, report, base=base)
        topics = store_topics(document.child("categories", []), newsletter, report)
        scope = scope_of(newsletter, topics)
        issues = _issues(document, scope)
        loose = [
            read_article(node, scope, published=None)
            for node in document.child("articles", []).items()
        ]
        # All pictures are looked at before the first is stored: files do not roll back.
        for article in [*loose, *(one for issue in issues for one in issue.articles)]:
            if article.image and article.image.file:
                picture_bytes(article.image.file, base=base)
        stored = [
            (one, store_article(one, newsletter, None, 0, topics, report, base=base))
            for one in loose
        ]
        for issue in issues:
            stored += store_issue(issue, newsletter, topics, report, base=base)
        link_similar(stored, newsletter)
    return report


def _issues(document: Node, scope: Scope) -> list[IssueData]:
    return [read_issue(node, scope) for node in document.child("issues", []).items()]
