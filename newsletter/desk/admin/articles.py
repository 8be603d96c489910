"""Articles, with their translations as tabs, and pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Max, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from newsletter.desk import (
    article_conflict,
    article_history,
    article_text,
    picture_picker,
    presence,
)
from newsletter.desk.access.rows import may
from newsletter.desk.article_access import language_of, place_of, visible_article
from newsletter.desk.article_forms import ArticleForm, NewHeadlineForm
from newsletter.desk.article_page import page_media, page_url, render_article_page
from newsletter.desk.deletion import RestorableAdmin
from newsletter.desk.language_tabs import TabbedAdmin
from newsletter.desk.search import SearchAdmin
from newsletter.desk.sign_in_again import json_view, keep_posted
from newsletter.desk.view_helpers import render_page, user_of
from newsletter.editorial import finders, writing
from newsletter.editorial.models import Article, Newsletter


def requested_newsletter(request: HttpRequest) -> Newsletter | None:
    """Return the newsletter of a new row: the one named, its issue's, or the first."""
    chosen = request.POST.get("newsletter") or request.GET.get("newsletter", "")
    if chosen.isdecimal():
        return Newsletter.objects.filter(pk=chosen).first()
    issue = request.GET.get("issue", "")
    if issue.isdecimal():
        return Newsletter.objects.filter(issues=int(issue)).first()
    return Newsletter.objects.first()


@admin.register(Article)
class ArticleAdmin(RestorableAdmin, SearchAdmin, TabbedAdmin):
    """Articles. Each has a page per language; facts and texts are saved separately."""

    form = ArticleForm
    list_display = ("__str__", "issue", "topic", "languages", "published_at")
    list_filter = ("newsletter", "topic", "translations__state")
    search_help_text = _("Searches headlines, leads, texts and authors in all languages.")
    date_hierarchy = "published_at"
    ordering = ("-published_at", "-pk")
    autocomplete_fields = ("issue", "similar")
    fields = (
        "newsletter",
        "issue",
        "topic",
        "picture",
        "published_at",
        "original_language",
        "dateline",
        "similar",
        "credit_kind",
        "credit",
        "opened_version",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Article]:
        rows = super().get_queryset(request).select_related("issue__newsletter", "topic")
        return rows.prefetch_related("translations", "topic__translations")

    def find(self, rows: QuerySet[Article], text: str) -> QuerySet[Article]:
        return finders.find_articles(rows, text)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "picture":
            kwargs |= picture_picker.form_field_options()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        text = "<int:article_id>/text/<str:language>/"
        pages: dict[str, tuple[str, Callable[..., HttpResponseBase]]] = {
            "text": (text, keep_posted(wrap(article_text.save))),
            "text_autosave": (f"{text}autosave/", json_view(article_text.autosave)),
            "text_presence": (f"{text}presence/", json_view(presence.heartbeat)),
            "text_remove": (f"{text}remove/", wrap(article_text.remove)),
            "text_history": (f"{text}history/", wrap(article_history.history)),
            "text_revision": (f"{text}history/<int:number>/", wrap(article_history.revision)),
            "text_conflict": (
                f"{text}conflict/<int:number>/",
                keep_posted(wrap(article_conflict.conflict)),
            ),
            # Django's own names, with our pages.
            "add": ("add/", keep_posted(wrap(self.add_view))),
            "change": ("<path:object_id>/change/", keep_posted(wrap(self.change_view))),
        }
        ours = [
            path(route, view, name=f"editorial_article_{name}")
            for name, (route, view) in pages.items()
        ]
        return [*ours, *super().get_urls()]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        initial: dict[str, Any] = dict(super().get_changeform_initial_data(request))
        newsletter = requested_newsletter(request)
        if newsletter:
            initial.setdefault("newsletter", newsletter.pk)
            initial.setdefault("original_language", newsletter.languages[0])
        return initial

    def facts_form(self, request: HttpRequest, article: Article, data: Any = None) -> Any:
        """Return the form of the article's own fields; None if the user may not change them."""
        if not self.has_change_permission(request, article):
            return None
        return self.get_form(request, article, change=True)(data, instance=article)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Ask for the facts and a headline in the original language, with one save."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form_class = self.get_form(request, None, change=False)
        if request.method == "POST":
            facts, headline = form_class(request.POST), NewHeadlineForm(request.POST)
            if all([facts.is_valid(), headline.is_valid()]):
                return self._add(request, facts, headline.cleaned_data["headline"])
        else:
            facts = form_class(initial=self.get_changeform_initial_data(request))
            headline = NewHeadlineForm()
        return render_page(
            request,
            "desk/article/add.html",
            title=gettext("New article"),
            opts=self.opts,
            facts=facts,
            headline=headline["headline"],
            has_errors=bool(facts.errors or headline.errors),
            media=page_media(request, self.media + facts.media),
        )

    def _add(self, request: HttpRequest, facts: Any, headline: str) -> HttpResponse:
        article: Article = facts.save(commit=False)
        language = article.original_language
        if not may(request, "editorial.add_articletranslation", place_of(article, language)):
            raise PermissionDenied
        article.position = _last_position(article) + 1
        article.save()
        facts.save_m2m()
        writing.save_text(article, language, {"headline": headline}, base=0, by=user_of(request))
        self.log_addition(request, article, [{"added": {}}])
        messages.success(request, gettext("The article has been added. Now write its text."))
        return redirect(page_url(article, language))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show the page in one language; save the facts on POST."""
        if not object_id.isdecimal():
            raise Http404
        article = visible_article(request, int(object_id))
        language = request.GET.get("language", article.original_language)
        language_of(article, language)
        if request.method != "POST":
            facts = self.facts_form(request, article)
            return render_article_page(self, request, article, language, facts=facts)
        if not self.has_change_permission(request, article):
            raise PermissionDenied
        return self._save_facts(request, article, language)

    def _save_facts(self, request: HttpRequest, article: Article, language: str) -> HttpResponse:
        opened = request.POST.get("opened_version", "")
        facts = self.facts_form(request, Article.objects.get(pk=article.pk), request.POST)
        if facts.is_valid():
            before = Article.objects.values_list("issue", flat=True).get(pk=article.pk)
            changed: Article = facts.save(commit=False)
            if changed.issue_id != before:
                changed.position = _last_position(changed) + 1
            if not set(facts.changed_data) - {"opened_version"}:
                messages.success(request, gettext("There was nothing to save."))
                return redirect(page_url(article, language))
            if opened.isdecimal() and writing.save_facts(changed, version=int(opened)):
                facts.save_m2m()
                message = self.construct_change_message(request, facts, [], add=False)
                self.log_change(request, changed, message)
                messages.success(request, gettext("The facts have been saved."))
                return redirect(page_url(article, language))
            facts.add_error(None, gettext(_NEWER_FACTS))
            facts.newer = _newer_facts(facts, article)
            # Saving once more is a choice made in full view of both.
            facts.data = {**facts.data.dict(), "opened_version": article.version}
        return render_article_page(self, request, article, language, facts=facts)

    @admin.display(description=_("languages"))
    def languages(self, article: Article) -> str:
        return translation_states(article)


_NEWER_FACTS = gettext_noop(
    "Somebody has changed the facts since you opened this page. Yours are below, and what is "
    "stored now is named beside each. Save again to replace it."
)


def _newer_facts(facts: Any, article: Article) -> dict[str, str]:
    """Return what is stored now, as text, for each field in which the form differs from it."""
    found = {}
    for name in facts.changed_data:
        if name == "opened_version":
            continue
        value = getattr(article, name)
        shown = ", ".join(map(str, value.all())) if hasattr(value, "all") else value
        found[name] = str(shown if shown not in (None, "") else "–")
    return found


def _last_position(article: Article) -> int:
    """Return the position of the last article in the article's issue; 0 if there is none."""
    if article.issue_id is None:
        return 0
    others = Article.objects.filter(issue=article.issue_id).exclude(pk=article.pk)
    return others.aggregate(last=Max("position"))["last"] or 0


def translation_states(article: Article) -> str:
    """Return each translation's state: "EN ✓ · BE draft"."""
    return " · ".join(
        f"{text.language.upper()} {'✓' if text.is_ready else text.get_state_display()}"
        for text in article.texts().values()
    )
