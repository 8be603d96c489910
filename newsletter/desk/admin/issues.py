"""Issues: their texts as tabs, their articles in order, the week's trends, and the next steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from newsletter.delivery.models import Mailing
from newsletter.desk import preview, sending
from newsletter.desk.admin.articles import requested_newsletter, translation_states
from newsletter.desk.groups import SEND
from newsletter.desk.language_tabs import TabbedAdmin, TranslationInline
from newsletter.editorial import checks, workflow
from newsletter.editorial.models import Article, Issue, IssueTranslation, Topic, Trend


class IssueForm(forms.ModelForm[Issue]):
    """An issue, and a trend for each topic in its week (fields `trend_<topic ID>`)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.topics: list[Topic] = []
        issue = self.instance
        if not issue.pk or issue.kind == Issue.Kind.SPECIAL:
            return
        self.topics = list(issue.newsletter.topics.prefetch_related("translations"))
        known = Trend.objects.for_issue(issue)
        for topic in self.topics:
            self.fields[f"trend_{topic.pk}"] = forms.ChoiceField(
                label=str(topic),
                choices=[("", _("no status")), *Trend.Status.choices],
                initial=known.get(topic.pk, ""),
                required=False,
                widget=forms.RadioSelect(attrs={"class": "trend"}),
            )

    @property
    def trend_fields(self) -> list[forms.BoundField]:
        return [self[f"trend_{topic.pk}"] for topic in self.topics]

    def save_trends(self) -> None:
        for topic in self.topics:
            status = self.cleaned_data[f"trend_{topic.pk}"] or None
            workflow.set_issue_trend(self.instance, topic, status)


class IssueTranslationInline(TranslationInline):
    model = IssueTranslation
    verbose_name_plural = _("the issue’s texts")
    fields = ("language", "subject", "preheader", "introduction")

    def languages_of(self, request: HttpRequest, obj: Any) -> list[str]:
        newsletter = obj.newsletter if obj else requested_newsletter(request)
        return list(newsletter.languages) if newsletter else []


class ArticlesInline(admin.TabularInline[Article, Issue]):
    model = Article
    extra = 0
    can_delete = False
    show_change_link = False
    fields = ("position", "headline", "topic", "languages")
    readonly_fields = ("headline", "topic", "languages")
    verbose_name_plural = _("articles in order")
    template = "admin/editorial/issue/articles.html"

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request).select_related("topic")
        return rows.prefetch_related("translations", "topic__translations")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("article"))
    def headline(self, article: Article) -> str:
        url = reverse("admin:editorial_article_change", args=[article.pk])
        return format_html('<a href="{}">{}</a>', url, article)

    @admin.display(description=_("languages"))
    def languages(self, article: Article) -> str:
        return translation_states(article)


@admin.register(Issue)
class IssueAdmin(TabbedAdmin):
    form = IssueForm
    inlines = [IssueTranslationInline, ArticlesInline]
    change_form_template = "admin/editorial/issue/change_form.html"
    list_display = ("__str__", "newsletter", "kind", "state")
    list_filter = ("newsletter", "state", "kind")
    search_fields = ("slug", "translations__subject", "starts_on")
    fieldsets = (
        (None, {"fields": (("newsletter", "kind"), ("starts_on", "ends_on"), "slug", "note")}),
    )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "note":
            field.widget.attrs["rows"] = 2
        return field

    def get_urls(self) -> list[URLPattern]:
        views: dict[str, Callable[..., HttpResponseBase]] = {
            "preview": preview.overview,
            "preview/frame": preview.frame,
            "approve": sending.approve,
            "withdraw": sending.withdraw,
            "send": sending.send,
        }
        wrap = self.admin_site.admin_view
        desk_urls = [
            path(
                f"<int:issue_id>/{name}/",
                wrap(view),
                name=f"editorial_issue_{name.replace('/', '_')}",
            )
            for name, view in views.items()
        ]
        return [*desk_urls, *super().get_urls()]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        initial: dict[str, Any] = dict(super().get_changeform_initial_data(request))
        if newsletter := requested_newsletter(request):
            initial.setdefault("newsletter", newsletter.pk)
        return initial

    def save_related(
        self,
        request: HttpRequest,
        form: ModelForm[Any],
        formsets: Any,
        change: bool,  # noqa: FBT001 - Django's signature
    ) -> None:
        super().save_related(request, form, formsets, change)
        if isinstance(form, IssueForm):
            form.save_trends()

    def response_change(self, request: HttpRequest, obj: Issue) -> HttpResponse:
        """Approve, or withdraw the approval, after the page's edits have been saved (I1)."""
        actions = {"_approve": sending.approve_as_seen, "_withdraw": sending.withdraw_approval}
        for name, act in actions.items():
            if name in request.POST and request.user.has_perm(SEND):
                act(request, obj)
                return redirect("admin:editorial_issue_change", obj.pk)
        return super().response_change(request, obj)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        issue: Issue | None = context.get("original")
        if issue is not None:
            context["problems"] = checks.find_problems(issue)
            context["content_mark"] = workflow.content_mark(issue)
            context["may_send"] = request.user.has_perm(SEND)
            context["mailings"] = Mailing.objects.filter(release__issue=issue)
        return super().render_change_form(request, context, *args, **kwargs)
