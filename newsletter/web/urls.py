"""URLs below a language prefix."""

from __future__ import annotations

from django.urls import path

from newsletter.web.views import article, feed, lists

app_name = "web"
urlpatterns = [
    path("", lists.home, name="home"),
    path("issues/", lists.issue_archive, name="archive"),
    path("issues/<slug:newsletter>/<str:key>/", lists.issue, name="issue"),
    path("articles/<str:slug>/", article.article, name="article"),
    path("topics/<slug:slug>/", lists.topic, name="topic"),
    path("about/", lists.about, name="about"),
    path("privacy/", lists.privacy, name="privacy"),
    path("feed.xml", feed.feed, name="feed"),
]
