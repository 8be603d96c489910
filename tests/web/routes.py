"""Every route of the site, from the URL conf itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.urls import get_resolver
from django.urls.resolvers import URLResolver
from django.utils import translation

PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


def routes(language: str) -> list[str]:
    """Return each route except the desk's, with a leading slash: "/en/account/<str:token>/"."""
    with translation.override(language):
        return [route for route in _walk(get_resolver(), "/") if not route.startswith("/admin/")]


def _walk(resolver: Any, prefix: str) -> Iterator[str]:
    for each in resolver.url_patterns:
        route = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from _walk(each, route)
        else:
            yield route


def fill_route(route: str, **values: str) -> str:
    """Return the route's path. A parameter that isn't named gets the value of `other`."""
    return PARAMETER.sub(lambda found: values.get(found[1], values.get("other", "")), route)
