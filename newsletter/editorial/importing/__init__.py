"""Import issues from a JSON document: either all of it, or nothing and a list of problems.

Importing a document again changes nothing. An article is identified by the ID that the document
states, or else by its slug in the original language (`identity`). docs/import.md describes the
format.
"""

from __future__ import annotations

from pathlib import Path

from django.db import transaction

from newsletter.editorial.importing.additions import Additions
from newsletter.editorial.importing.errors import DocumentError, collecting
from newsletter.editorial.importing.files import PictureFolder
from newsletter.editorial.importing.identity import StoredArticles, repeated
from newsletter.editorial.importing.issues import (
    Stored,
    Target,
    approve,
    link_similar,
    store_article,
    store_issue,
)
from newsletter.editorial.importing.lines import LineNumbers
from newsletter.editorial.importing.newsletter import (
    store_newsletter,
    store_newsroom,
    store_topics,
)
from newsletter.editorial.importing.pictures import ArticlePictures
from newsletter.editorial.importing.reading import parse_document, read_document, read_text
from newsletter.editorial.importing.report import ImportReport
from newsletter.editorial.importing.schema import Document, validated

__all__ = ["DocumentError", "ImportReport", "import_document", "import_file", "read_document"]


def import_file(path: Path) -> ImportReport:
    """Import a file; its pictures are relative to its folder.

    Raises DocumentError with all problems and their lines, and then stores nothing.
    """
    text = read_text(path)
    document = parse_document(text)
    try:
        return import_document(document, base=path.parent)
    except DocumentError as error:
        lines = LineNumbers(text)
        raise DocumentError(*map(lines.locate, error.problems)) from None


def import_document(data: object, *, base: Path) -> ImportReport:
    """Store the document's content. Pictures are relative to the folder `base`.

    Raises DocumentError with all problems, and then stores nothing but pictures.
    """
    with PictureFolder(base) as pictures:
        pictures.begin(data)
        document = validated(data, pictures)
        with transaction.atomic():
            return _store(document, pictures)


def _store(document: Document, pictures: PictureFolder) -> ImportReport:
    report = ImportReport()
    twice = repeated(document)
    problems = list(twice.values())
    newsletter = store_newsletter(document.newsletter, report)
    store_newsroom(document.newsroom, newsletter, report, pictures=pictures)
    topics = store_topics(document.categories, newsletter, report)
    known = StoredArticles(document, newsletter)
    additions = Additions()
    rows = ArticlePictures(document, pictures, additions, report)
    target = Target(newsletter, topics, report, rows, additions, known, left_out=frozenset(twice))
    stored: list[Stored] = []
    for index, article in enumerate(document.articles):
        location, published = f"articles[{index}]", article.published_at
        if location not in twice:
            with collecting(problems):
                stored.append(
                    store_article(article, target, published=published, location=location)
                )
    for index, issue in enumerate(document.issues):
        if (location := f"issues[{index}]") not in twice:
            with collecting(problems):
                stored += store_issue(issue, target, problems, location=location)
    if problems:
        raise DocumentError(*problems)
    additions.flush()
    # A similar article may be one that was refused, so links are checked only if none was.
    if problems := list(link_similar(stored, newsletter)):
        raise DocumentError(*problems)
    approve(target.to_approve, report)
    return report
