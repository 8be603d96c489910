"""What editors deleted, kept until it is restored or its time is over."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from newsletter.editorial.models.newsroom import Newsletter


class ExactEncoder(DjangoJSONEncoder):
    """Keeps a time's microseconds, which Django's encoder drops."""

    def default(self, o: Any) -> Any:
        return o.isoformat() if isinstance(o, date | datetime | time) else super().default(o)


class Deletion(models.Model):
    """An article, issue, picture or topic that was deleted, with everything that went with it.

    The rows themselves are gone from their tables, so no query has to leave them out.
    """

    model = models.CharField(max_length=60, help_text='Such as "editorial.article".')
    object_id = models.BigIntegerField()
    name = models.CharField(_("name"), max_length=300)
    newsletter = models.ForeignKey(Newsletter, models.CASCADE, null=True, related_name="+")
    deleted_at = models.DateTimeField(_("deleted"), default=timezone.now, db_index=True)
    deleted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    rows = models.JSONField(
        encoder=ExactEncoder,
        help_text='The deleted rows, itself first: [{"model": …, "pk": …, "fields": {…}}].',
    )
    references = models.JSONField(
        help_text='Rows that stayed and pointed to it: [["editorial.article", "issue", 17], …].'
    )

    class Meta:
        ordering = ["-deleted_at", "-pk"]
        verbose_name = _("deletion")
        verbose_name_plural = _("deletions")

    def __str__(self) -> str:
        return self.name
