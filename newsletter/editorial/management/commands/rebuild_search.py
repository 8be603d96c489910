"""manage.py rebuild_search: make the search's lexemes and indexes again."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand
from django.db import DEFAULT_DB_ALIAS
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from newsletter.editorial.search import index
from newsletter.editorial.search.searchable import Searchable, rebuild, searchable_models


class Command(BaseCommand):
    help = "Make everything findable again, for instance after an upgrade. Can be repeated."

    def handle(self, *args: Any, **options: Any) -> None:
        for model in searchable_models(apps.get_models()):
            self._rebuild(model)

    def _rebuild(self, model: type[Searchable]) -> None:
        name = capfirst(str(model._meta.verbose_name))
        keys = list(model._base_manager.order_by("pk").values_list("pk", flat=True))

        def progress(done: int) -> None:
            if self.stdout.isatty():
                self.stdout.write(f"{name}: {done} / {len(keys)}", ending="\r")
                self.stdout.flush()

        # The index comes first: it might be so damaged that no row can be written.
        index.rebuild(model, using=DEFAULT_DB_ALIAS)
        changed = rebuild(model, keys, using=DEFAULT_DB_ALIAS, progress=progress)
        result = _("%(name)s: %(count)s searchable, %(changed)s of them changed")
        self.stdout.write(result % {"name": name, "count": len(keys), "changed": changed})
