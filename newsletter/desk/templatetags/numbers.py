"""Numbers as the page's language writes them."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.formats import number_format

register = template.Library()


@register.filter
def grouped(number: Any) -> str:
    """Return a whole number with its thousands apart: {{ readers|grouped }} gives “17,232”."""
    return number_format(number, force_grouping=True)
