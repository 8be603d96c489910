"""Who was given the list: exports, asked for, approved and made."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _


class Export(models.Model):
    """One export of a newsletter's readers, without an address. It stays, as the trail.

    What stands here proves nothing, as whoever has the database can write it: an approval counts
    by its signature over `statement` alone (subscribers.approvals).
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    newsletter = models.CharField(_("newsletter"), max_length=50, help_text="Its short name.")
    purpose = models.CharField(_("purpose"), max_length=200, blank=True)
    statement = models.TextField(blank=True, editable=False)
    signatures = models.JSONField(default=list, editable=False, help_text="In hexadecimal.")
    asked_at = models.DateTimeField(_("asked for"), auto_now_add=True)
    made_at = models.DateTimeField(_("made"), null=True, blank=True)
    approved_by = models.CharField(_("approved by"), max_length=200, blank=True)
    readers = models.PositiveIntegerField(_("readers"), null=True, blank=True)

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")

    def __str__(self) -> str:
        return f"{self.newsletter} {self.public_id}"
