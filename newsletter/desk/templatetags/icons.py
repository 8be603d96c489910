"""The desk's icons: {% icon "ready" %}. Each shape has one meaning, and a word beside it."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

_CIRCLE = '<circle cx="8" cy="8" r="6.2"/>'
SHAPES = {
    # States of a text.
    "ready": _CIRCLE + '<path d="M5 8.3l2.1 2L11 6"/>',
    "review": _CIRCLE + '<path class="solid" d="M8 3.5a4.5 4.5 0 0 1 0 9z"/>',
    "draft": '<path d="M3 13l.7-2.9 7.2-7.2 2.2 2.2-7.2 7.2z"/>',
    "behind": '<path d="M2.4 8a5.7 5.7 0 1 0 1.9-4.2M2.3 2.4v2.8h2.9M8 5v3.2l2.1 1.2"/>',
    "missing": '<circle cx="8" cy="8" r="6.2" stroke-dasharray="2.4 2.5"/>',
    # Trends.
    "improved": '<path class="solid" d="M8 3l5.6 9.6H2.4z"/>',
    "unchanged": '<path class="solid" d="M2.5 6.6h11v2.8h-11z"/>',
    "worsened": '<path class="solid" d="M8 13L2.4 3.4h11.2z"/>',
    "none": '<path d="M4.5 8h7"/>',
    # Checks.
    "blocks": '<path d="M5.3 1.8h5.4l3.5 3.5v5.4l-3.5 3.5H5.3l-3.5-3.5V5.3zM8 4.9v3.6M8 11v.1"/>',
    "warns": '<path d="M8 2.2l6.2 11H1.8zM8 6.6v3.1M8 11.6v.1"/>',
    # Actions.
    "up": '<path d="M8 13V3.4M4.2 7L8 3.2 11.8 7"/>',
    "down": '<path d="M8 3v9.6M4.2 9L8 12.8 11.8 9"/>',
    "out": '<path d="M4.3 4.3l7.4 7.4M11.7 4.3l-7.4 7.4"/>',
    "add": '<path d="M8 3v10M3 8h10"/>',
    "grip": (
        '<path class="solid" d="M5 2.6h2v2H5zm4 0h2v2H9zM5 7h2v2H5zm4 0h2v2H9zm-4 4.4h2v2H5z'
        'm4 0h2v2H9z"/>'
    ),
    "preview": '<path d="M1.6 8S4 3.8 8 3.8 14.4 8 14.4 8 12 12.2 8 12.2 1.6 8 1.6 8z"/>'
    '<circle cx="8" cy="8" r="1.9"/>',
    "picture": '<path d="M2 3h12v10H2zM2 11l3.4-3.4 2.8 2.8 2-1.8L14 12"/>',
    "search": '<circle cx="7" cy="7" r="4.4"/><path d="M10.3 10.3l3.4 3.4"/>',
}


@register.simple_tag
def icon(name: str) -> SafeString:
    """Return the icon as SVG, hidden from screen readers."""
    return format_html(
        '<svg class="icon" viewBox="0 0 16 16" aria-hidden="true">{}</svg>',
        mark_safe(SHAPES[name or "none"]),  # noqa: S308 - a constant of this module
    )
