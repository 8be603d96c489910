"""Template tags and filters of the desk."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import reverse
from django.utils.dates import MONTHS_ALT
from django.utils.html import format_html
from django.utils.safestring import SafeString

from newsletter.desk import labels
from newsletter.desk.language_tabs import Panel, panels
from newsletter.lib import byte_sizes
from newsletter.lib.languages import language_name

register = template.Library()


@register.simple_tag
def language_panels(formset: Any) -> list[Panel]:
    """Return the language tabs: {% language_panels inline_admin_formset as panels %}"""
    return panels(formset)


@register.simple_tag
def months() -> str:
    """Return the months as they stand in a date, with spaces between: for a script's dates."""
    return " ".join(str(MONTHS_ALT[number]) for number in range(1, 13))


@register.simple_tag(takes_context=True)
def nav_link(context: dict[str, Any], name: str) -> SafeString:
    """Return the attributes of a link in the desk's navigation, which marks where you are."""
    url, path = reverse(name), context["request"].path
    if not path.startswith(url):
        return format_html('href="{}"', url)
    return format_html('href="{}" aria-current="{}"', url, "page" if path == url else "true")


@register.filter
def own_name(code: str) -> str:
    """Return a language's name in that language: {{ code|own_name }}"""
    return language_name(code)


@register.filter
def edition_label(edition: Any) -> str:
    """Return the label in the page's language: {{ edition|edition_label }}"""
    return labels.edition_label(edition)


@register.filter
def size_name(size: Any) -> str:
    """Return a number of bytes in words: {{ edition.size|size_name }}"""
    return byte_sizes.size_name(size)


@register.filter
def value_of(mapping: Any, key: str) -> Any:
    """Return a mapping's value: {{ html|value_of:field.name }}; empty without the mapping or key"""
    return mapping.get(key, "") if mapping else ""
