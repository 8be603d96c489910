"""What the desk registers, a module for each subject."""

from newsletter.desk.admin import articles, issues, newsletters, sendouts, staff

__all__ = ["articles", "issues", "newsletters", "sendouts", "staff"]
