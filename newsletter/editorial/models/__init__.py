"""Models of the newsroom, its newsletters, and what they publish."""

from newsletter.editorial.models.article import Article, ArticleTranslation, Picture
from newsletter.editorial.models.issue import (
    Issue,
    IssueTranslation,
    Topic,
    TopicTranslation,
    Trend,
)
from newsletter.editorial.models.newsroom import (
    Newsletter,
    NewsletterTranslation,
    Newsroom,
    NewsroomTranslation,
    User,
)
from newsletter.editorial.models.revision import Revision

__all__ = [
    "Article",
    "ArticleTranslation",
    "Issue",
    "IssueTranslation",
    "Newsletter",
    "NewsletterTranslation",
    "Newsroom",
    "NewsroomTranslation",
    "Picture",
    "Revision",
    "Topic",
    "TopicTranslation",
    "Trend",
    "User",
]
