"""What the desk's templates ask for."""

from __future__ import annotations

from typing import Any

from django import template

from newsletter.desk import labels
from newsletter.desk.language_tabs import Panel, panels

register = template.Library()


@register.simple_tag
def language_panels(formset: Any) -> list[Panel]:
    """{% language_panels inline_admin_formset as panels %}"""
    return panels(formset)


@register.filter
def edition_label(edition: Any) -> str:
    """{{ edition|edition_label }}"""
    return labels.edition_label(edition)
