"""Models of the newsroom, its newsletters, and what they publish."""

from newsletter.editorial.models.article import Article, ArticleTranslation
from newsletter.editorial.models.deletion import Deletion
from newsletter.editorial.models.issue import (
    Issue,
    IssueTranslation,
    Topic,
    TopicTranslation,
    Trend,
)
from newsletter.editorial.models.membership import Membership
from newsletter.editorial.models.newsroom import (
    Newsletter,
    NewsletterTranslation,
    Newsroom,
    NewsroomTranslation,
    User,
)
from newsletter.editorial.models.picture import DiscardedFile, Picture
from newsletter.editorial.models.revision import Revision

__all__ = [
    "Article",
    "ArticleTranslation",
    "Deletion",
    "DiscardedFile",
    "Issue",
    "IssueTranslation",
    "Membership",
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
