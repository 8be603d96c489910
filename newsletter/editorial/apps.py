from __future__ import annotations

from typing import Any

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate, post_save
from django.utils.translation import gettext_lazy as _


class EditorialConfig(AppConfig):
    name = "newsletter.editorial"
    label = "editorial"
    verbose_name = _("Editorial")

    def ready(self) -> None:
        from newsletter.editorial import picture_files
        from newsletter.editorial.search.searchable import searchable_models

        picture_files.connect()
        post_migrate.connect(create_search_indexes, sender=self)
        for model in searchable_models(apps.get_models()):
            post_save.connect(make_lexemes_of_loaded_row, sender=model)


def create_search_indexes(*, using: str, **kwargs: Any) -> None:
    """Create the indexes of lexemes that the database lacks. Receives post_migrate."""
    from newsletter.editorial.search import index
    from newsletter.editorial.search.searchable import searchable_models

    for model in searchable_models(apps.get_models()):
        index.create_missing(model, using=using)


def make_lexemes_of_loaded_row(
    sender: type[Any], instance: Any, *, raw: bool, using: str, **kwargs: Any
) -> None:
    """Make the lexemes of a row that a fixture wrote: it holds none. Receives post_save."""
    from newsletter.editorial.search.searchable import rebuild

    if raw:
        rebuild(sender, [instance.pk], using=using)
