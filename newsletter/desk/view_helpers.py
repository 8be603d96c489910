"""Shared by the desk's views: permissions, rendering, the history log."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse

from newsletter.editorial.models import User

V = TypeVar("V", bound=Callable[..., HttpResponseBase])


def permission_required(permission: str) -> Callable[[V], V]:
    """Answer 403 to users without the permission. admin_view has already made them sign in."""

    def decorate(view: V) -> V:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not user_of(request).has_perm(permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return cast(V, guarded)

    return decorate


def user_of(request: HttpRequest) -> User:
    """Return the signed-in user. Raises PermissionDenied for an anonymous one."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def render_page(request: HttpRequest, template: str, **context: Any) -> TemplateResponse:
    """Render a desk page; `title` in the context is its heading."""
    return TemplateResponse(request, template, {**admin.site.each_context(request), **context})


def log_action(request: HttpRequest, row: Model, message: str) -> None:
    """Record the action and the user in the row's history."""
    LogEntry.objects.log_actions(
        user_id=user_of(request).pk,
        queryset=[row],
        action_flag=CHANGE,
        change_message=message,
        single_object=True,
    )
