"""What the desk's own pages share: who may see them, what their frame needs."""

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
    """Refuse (403) whoever has not the permission. admin_view has asked them to sign in."""

    def decorate(view: V) -> V:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not user_of(request).has_perm(permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return cast(V, guarded)

    return decorate


def user_of(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def render_page(request: HttpRequest, template: str, **context: Any) -> TemplateResponse:
    """A page of the desk; `title` is its heading."""
    return TemplateResponse(request, template, {**admin.site.each_context(request), **context})


def log_action(request: HttpRequest, row: Model, message: str) -> None:
    """Put into the row's history who did what."""
    LogEntry.objects.log_actions(
        user_id=user_of(request).pk,
        queryset=[row],
        action_flag=CHANGE,
        change_message=message,
        single_object=True,
    )
