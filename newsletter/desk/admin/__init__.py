"""The desk's ModelAdmins, one module per subject."""

from newsletter.desk.admin import (
    articles,
    issues,
    mailings,
    newsletters,
    pictures,
    staff,
    subscribers,
)

__all__ = ["articles", "issues", "mailings", "newsletters", "pictures", "staff", "subscribers"]
