"""What the desk registers, a module for each subject."""

from newsletter.desk.admin import articles, issues, mailings, newsletters, staff, subscribers

__all__ = ["articles", "issues", "mailings", "newsletters", "staff", "subscribers"]
