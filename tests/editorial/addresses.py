"""The addresses that editorial names, so that its tests do not need the pages themselves."""

from __future__ import annotations

from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def page(request: HttpRequest, **parts: str) -> HttpResponse:
    return HttpResponse()


web = [
    path("articles/<str:slug>/", page, name="article"),
    path("issues/<slug:newsletter>/<str:key>/", page, name="issue"),
]
urlpatterns = [
    path("admin/", admin.site.urls),
    *i18n_patterns(path("", include((web, "web")))),
]
