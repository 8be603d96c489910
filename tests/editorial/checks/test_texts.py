"""Each check of a text finds its fault in en, be and ru, and names the place (I3)."""

from __future__ import annotations

import pytest

from newsletter.editorial.checks import Problem, Severity, find_problems, first_error
from newsletter.editorial.models import Article, Issue
from tests.conftest import WriteArticle

pytestmark = pytest.mark.django_db
HEADLINES = {
    "en": "The council adopts its budget",
    "be": "Савет прыняў бюджэт на год",
    "ru": "Совет принял бюджет на год",
}
LINK = '<p><a href="{}">{}</a></p>'
FAULTS: dict[str, dict[str, tuple[str, str]]] = {
    "placeholder": {
        "en": ("lead", "The figure is TK."),
        "be": ("lead", "Лічба будзе тут: TODO."),
        "ru": ("lead", "Цифра будет здесь: TKTK."),
    },
    "mixed-alphabets": {
        "en": ("headline", "The sсhool is closed"),
        "be": ("headline", "Новая сiтуацыя ў Мінску"),
        "ru": ("headline", "Новая cитуация в Минске"),
    },
    "latin-look-alikes": {
        "be": ("lead", "Вялікі xop спяваў на плошчы"),
        "ru": ("lead", "Большой xop пел на площади"),
    },
    "doubled-word": {
        "en": ("body", "<p>It was the the end.</p>"),
        "be": ("body", "<p>Гэта быў быў канец.</p>"),
        "ru": ("body", "<p>Это был был конец.</p>"),
    },
    "other-language": {
        "en": ("body", "<p>Савет прыняў бюджэт пасля доўгай спрэчкі.</p>"),
        "be": ("body", "<p>The council adopted its budget after a dispute.</p>"),
        "ru": ("body", "<p>Савет прыняў бюджэт пасля доўгай спрэчкі, і ён вырас.</p>"),
    },
    "link-empty": {code: ("body", LINK.format("#", word)) for code, word in HEADLINES.items()},
    "link-local": {
        code: ("body", LINK.format("http://localhost/x", word)) for code, word in HEADLINES.items()
    },
    "link-shortener": {
        code: ("body", LINK.format("https://bit.ly/x", word)) for code, word in HEADLINES.items()
    },
    "link-vague": {
        code: ("body", LINK.format("https://a.example/x", word))
        for code, word in {"en": "here", "be": "тут", "ru": "здесь"}.items()
    },
}
ERRORS = {"placeholder", "link-empty", "link-local"}
CASES = [(code, language) for code, planted in FAULTS.items() for language in planted]


@pytest.fixture
def article(issue: Issue, write_article: WriteArticle) -> Article:
    article = write_article(issue=issue, **HEADLINES)
    for text in article.translations.all():
        text.lead, text.body = text.headline, f"<p>{text.headline}.</p>"
        text.save()
    return article


def found(issue: Issue) -> list[Problem]:
    return [problem for problem in find_problems(Issue.objects.get(pk=issue.pk)) if problem.code]


def test_a_sound_issue_has_no_problem(issue: Issue, article: Article) -> None:
    assert found(issue) == []


@pytest.mark.parametrize(("code", "language"), CASES)
def test_a_planted_fault_is_found_where_it_is(
    code: str, language: str, issue: Issue, article: Article
) -> None:
    field, value = FAULTS[code][language]
    article.translations.filter(language=language).update(**{field: value})
    [problem] = found(issue)
    assert (problem.code, problem.language, problem.field) == (code, language, field)
    assert problem.article_id == article.pk
    assert problem.anchor == f"?language={language}#id_{field}"
    assert (problem.severity == Severity.BLOCKS) == (code in ERRORS)


def test_a_draft_may_have_placeholders(issue: Issue, article: Article) -> None:
    article.translations.filter(language="be").update(lead="TODO", state="draft")
    assert found(issue) == []


def test_a_quotation_that_is_marked_as_another_language_is_no_fault(
    issue: Issue, article: Article
) -> None:
    body = '<p>He said:</p><blockquote lang="be"><p>Савет прыняў бюджэт на год</p></blockquote>'
    article.translations.filter(language="en").update(body=body)
    assert found(issue) == []


@pytest.mark.parametrize("language", HEADLINES)
def test_an_issues_own_texts_are_checked(language: str, issue: Issue, article: Article) -> None:
    issue.translations.create(language=language, subject="TODO", preheader="x")
    [problem] = found(issue)
    assert (problem.code, problem.field) == ("placeholder", f"subject_{language}")
    assert problem.text in first_error(Issue.objects.get(pk=issue.pk), at=article.published_at)


@pytest.mark.parametrize("language", HEADLINES)
def test_a_long_or_repeated_subject_is_a_warning(
    language: str, issue: Issue, article: Article
) -> None:
    subject = " ".join(f"{HEADLINES[language]} {n}" for n in range(4))
    before = Issue.objects.create(
        newsletter=issue.newsletter, starts_on="2017-07-17", ends_on="2017-07-23"
    )
    for each in (before, issue):
        each.translations.create(language=language, subject=subject)
    assert {problem.code for problem in found(issue)} == {"long-subject", "repeated-subject"}
    assert first_error(issue, at=article.published_at) == ""
