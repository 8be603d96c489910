"""What a person's roles allow, and where. The backend that checks passwords builds on it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Group
from django.db.models import Exists, OuterRef

from newsletter.desk.access.scopes import SHARED, Scope, scope_of
from newsletter.editorial.models import Membership, User

_KEPT = "_grants_of_the_desk"


@dataclass(frozen=True)
class Grant:
    """Permissions, and where they count."""

    permissions: frozenset[str]
    newsletter_id: int | None = None
    """None: all newsletters."""
    languages: tuple[str, ...] = ()
    """Empty: all languages."""

    def covers(self, scope: Scope) -> bool:
        """Return whether the permissions count for a row with this scope."""
        if self.languages and scope.language and scope.language not in self.languages:
            return False
        if self.newsletter_id is None or scope.newsletters is SHARED:
            return True
        return self.newsletter_id in scope.newsletters


class RoleBackend(ModelBackend):
    """Answers `has_perm(permission)` (anywhere) and `has_perm(permission, row)` (there).

    Groups and permissions that were given to a user directly, in Django's way, count everywhere.
    """

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        if not user_obj.is_active or user_obj.is_anonymous:
            return set()
        scope = None if obj is None else scope_of(obj)
        found: set[str] = set()
        for grant in grants_of(user_obj):
            if scope is None or grant.covers(scope):
                found |= grant.permissions
        return found

    def get_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        return self.get_all_permissions(user_obj, obj)

    def get_group_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        return self.get_all_permissions(user_obj, obj)


def grants_of(user: User) -> list[Grant]:
    """Return what the user may do and where. Read once per request, as Django's permissions are."""
    kept: list[Grant] | None = getattr(user, _KEPT, None)
    if kept is not None:
        return kept
    memberships = Membership.objects.filter(user=user)
    codes, direct = _permissions_of_groups(user)
    grants = [
        Grant(frozenset(codes[row.role_id]), row.newsletter_id, row.languages)
        for row in memberships
    ]
    grants += [Grant(frozenset(codes[pk])) for pk in direct]
    own = user.user_permissions.values_list("content_type__app_label", "codename").order_by()
    grants.append(Grant(frozenset(f"{app}.{code}" for app, code in own)))
    setattr(user, _KEPT, grants)
    return grants


def _permissions_of_groups(user: User) -> tuple[dict[int, set[str]], set[int]]:
    """Return the permissions of each group of the user, and the groups given in Django's way."""
    codes: dict[int, set[str]] = defaultdict(set)
    direct = set()
    is_direct = Exists(user.groups.filter(pk=OuterRef("pk")))
    has_role = Exists(Membership.objects.filter(user=user, role=OuterRef("pk")))
    rows = Group.objects.filter(is_direct | has_role).annotate(is_direct=is_direct).order_by()
    values = ("pk", "is_direct", "permissions__content_type__app_label", "permissions__codename")
    for pk, given, app, code in rows.values_list(*values):
        codes[pk].add(f"{app}.{code}")
        if given:
            direct.add(pk)
    return codes, direct
