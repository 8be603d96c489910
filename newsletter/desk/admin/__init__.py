"""The desk's ModelAdmins, one module per subject."""

from newsletter.desk.admin import (
    accounts,
    articles,
    issues,
    mailings,
    newsletters,
    pictures,
    subscribers,
)

__all__ = ["accounts", "articles", "issues", "mailings", "newsletters", "pictures", "subscribers"]
