"""Import issues from a JSON document: either all of it, or nothing and a list of problems.

Importing a document again changes nothing. An article is identified by its newsletter, its issue,
and the slug of its headline in the original language.
"""

from __future__ import annotations

from pathlib import Path

from django.db import transaction

from newsletter.editorial.importing.dropped import dropped_lines
from newsletter.editorial.importing.errors import DocumentError, Problem, collecting
from newsletter.editorial.importing.fields import Scope
from newsletter.editorial.importing.issues import (
    Stored,
    Target,
    link_similar,
    store_article,
    store_issue,
)
from newsletter.editorial.importing.newsletter import (
    store_newsletter,
    store_newsroom,
    store_topics,
)
from newsletter.editorial.importing.reading import read_document
from newsletter.editorial.importing.report import ImportReport
from newsletter.editorial.importing.schema import validated

__all__ = ["DocumentError", "ImportReport", "import_document", "read_document"]


def import_document(data: object, *, base: Path) -> ImportReport:
    """Store the document's content. Pictures are relative to the folder `base`.

    Raises DocumentError with all problems, and then stores nothing.
    """
    # Validated first, because stored pictures are not rolled back with the transaction.
    scope = Scope(base)
    document = validated(data, base=base, scope=scope)
    report = ImportReport()
    problems: list[Problem] = []
    stored: list[Stored] = []
    with transaction.atomic():
        newsletter = store_newsletter(document.newsletter, report)
        store_newsroom(document.newsroom, newsletter, report, base=base)
        topics = store_topics(document.categories, newsletter, report)
        target = Target(newsletter, topics, report, base)
        for index, article in enumerate(document.articles):
            with collecting(problems):
                location, published = f"articles[{index}]", article.published_at
                stored.append(
                    store_article(article, target, published=published, location=location)
                )
        for index, issue in enumerate(document.issues):
            with collecting(problems):
                stored += store_issue(issue, target, location=f"issues[{index}]")
        # A similar article may be one that was refused, so links are checked only if none was.
        if problems or (problems := list(link_similar(stored, newsletter))):
            raise DocumentError(*problems)
    if not report.is_empty:
        report.notes += dropped_lines(document, scope.dropped)
    return report
