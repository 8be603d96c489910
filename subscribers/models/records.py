"""Records of exported reader lists, and of the keys that a database was used with."""

from __future__ import annotations

from django.db import models
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _


class Export(models.Model):
    """One export, without any address. The row stays, as the trail; it is written before the first
    address leaves.

    `readers` is None if the export wasn't completed. `recipients` holds public keys, separated by
    commas, or "" if the list was shown on a terminal.
    """

    class Kind(models.TextChoices):
        READERS = "readers", _("readers and their addresses")
        CONSENTS = "consents", _("evidence of consent, without addresses")

    newsletter = models.CharField(_("newsletter"), max_length=50, help_text="Its short name.")
    kind = models.CharField(_("content"), max_length=10, choices=Kind)
    made_at = models.DateTimeField(_("created"), auto_now_add=True)
    readers = models.PositiveIntegerField(_("readers"), null=True, blank=True)
    recipients = models.CharField(_("encrypted for"), max_length=200, blank=True)
    purpose = models.CharField(_("purpose"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")

    def __str__(self) -> str:
        return f"{self.newsletter}, {date_format(self.made_at)}"


class KeyCheck(models.Model):
    """The hash of a constant under one key, stored when the key is first used with this database.

    It reveals nothing of the key. A process whose key of that number gives another hash doesn't
    start.
    """

    class Purpose(models.TextChoices):
        STORAGE = "storage", _("stored addresses")
        INDEX = "index", _("address hashes")
        SEALING = "sealing", _("intake")
        TOKENS = "tokens", _("links in emails")

    purpose = models.CharField(max_length=8, choices=Purpose)
    number = models.PositiveSmallIntegerField()
    mark = models.BinaryField(max_length=16, editable=False)
    since = models.DateField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["purpose", "number"], name="one_check_per_key")
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.number}"
