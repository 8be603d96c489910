"""Which rows somebody may see and change. Every page of the desk asks here."""

from __future__ import annotations

from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from newsletter.delivery.models import Mailing
from newsletter.desk.access.backend import grants_of
from newsletter.desk.view_helpers import user_of
from newsletter.editorial.models import Issue, Newsletter, User

M = TypeVar("M", bound=Model)
VIEW_ISSUE = "editorial.view_issue"
VIEW_MAILING = "delivery.view_mailing"


def may(request: HttpRequest, permission: str, row: Any) -> bool:
    """Return whether the user has the permission for this row (scopes.scope_of)."""
    return user_of(request).has_perm(permission, row)


def require(request: HttpRequest, permission: str, row: Any) -> None:
    """Raise PermissionDenied unless the user has the permission for this row."""
    if not may(request, permission, row):
        raise PermissionDenied


def newsletter_ids(user: User, *permissions: str) -> set[int] | None:
    """Return the newsletters for which the user has any of the permissions; None for all."""
    if user.is_active and user.is_superuser:
        return None
    found: set[int] = set()
    for grant in grants_of(user):
        if grant.permissions.isdisjoint(permissions):
            continue
        if grant.newsletter_id is None:
            return None
        found.add(grant.newsletter_id)
    return found


def newsletters(user: User, *permissions: str) -> QuerySet[Newsletter]:
    """Return the newsletters for which the user has any of the permissions."""
    return limited(Newsletter.objects.all(), newsletter_ids(user, *permissions), "pk")


def limited(rows: QuerySet[M], ids: set[int] | None, path: str) -> QuerySet[M]:
    """Return the rows of these newsletters (None: of all). `path` leads to the newsletter's ID.

    A path to many rows is one of `subscriptions__newsletter`'s kind: no row is repeated.
    """
    if ids is None:
        return rows
    many, _sep, rest = path.partition("__")
    field = rows.model._meta.get_field(many) if many != "pk" else None
    if field is not None and field.one_to_many:
        related: Any = field.related_model
        own = related._default_manager.filter(
            **{field.remote_field.name: OuterRef("pk"), f"{rest}__in": ids}  # type: ignore[union-attr]
        )
        return rows.filter(Exists(own))
    return rows.filter(Q(**{f"{path}__in": ids}))


def get_issue(request: HttpRequest, issue_id: int, *permissions: str) -> Issue:
    """Return the issue. Raises Http404, or PermissionDenied unless the user may view it and has
    each of the permissions for it."""
    issue = get_object_or_404(Issue.objects.select_related("newsletter"), pk=issue_id)
    for permission in (VIEW_ISSUE, *permissions):
        require(request, permission, issue)
    return issue


def get_mailing(request: HttpRequest, mailing_id: int, *permissions: str) -> Mailing:
    """Return the mailing. Raises Http404, or PermissionDenied as `get_issue` does."""
    rows = Mailing.objects.select_related("release__newsletter", "release__issue", "started_by")
    mailing = get_object_or_404(rows, pk=mailing_id)
    for permission in (VIEW_MAILING, *permissions):
        require(request, permission, mailing)
    return mailing


def get_newsletter(request: HttpRequest, slug: str, *permissions: str) -> Newsletter:
    """Return the newsletter. Raises Http404, or PermissionDenied without the permissions."""
    newsletter = get_object_or_404(Newsletter, slug=slug)
    for permission in permissions:
        require(request, permission, newsletter)
    return newsletter
