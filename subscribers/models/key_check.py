"""Fingerprints that detect a wrong key before it does harm."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


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
