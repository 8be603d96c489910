"""The history of an article's texts."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from newsletter.lib.languages import LanguageField


class Revision(models.Model):
    """What an article said in one language after one save.

    It belongs to the article and the language, not to the translation, so that it outlives a
    translation that was removed. Numbers count from 1 for each language and are never used twice.
    """

    class Kind(models.TextChoices):
        AUTOSAVED = "autosaved", _("autosaved")
        """Saved by the page while its author was typing."""
        SAVED = "saved", _("saved")
        SENT = "sent", _("sent")
        """Saved, and then part of a mailing."""
        KEPT = "kept", _("kept aside")
        """Typed on top of an older text. It never was the article's text."""
        REMOVED = "removed", _("removed")
        """The last text of a translation that was removed."""

    article = models.ForeignKey("editorial.Article", models.CASCADE, related_name="revisions")
    language = LanguageField()
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.SAVED)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="revisions"
    )
    at = models.DateTimeField()
    base = models.PositiveIntegerField(null=True)
    """The revision on top of which a text that was kept aside was typed; 0 if there was none."""
    is_open = models.BooleanField(default=False)
    """Whether the author of a text that was kept aside still has to choose."""
    content = models.JSONField()
    """The text of each of `revisions.FIELDS` by its name."""

    class Meta:
        verbose_name = _("revision")
        verbose_name_plural = _("revisions")
        ordering = ["article", "language", "-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["article", "language", "number"], name="revision_number_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.article_id} {self.language} {self.number}"
