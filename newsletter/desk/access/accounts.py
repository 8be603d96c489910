"""Who may manage whose account, and which roles they may give."""

from __future__ import annotations

from django.contrib.auth.models import Group
from django.db.models import QuerySet

from newsletter.desk.access.roles import ROLES
from newsletter.desk.access.rows import newsletter_ids
from newsletter.editorial.models import User

_CHANGE = "editorial.change_user"
_LONGEST_USERNAME = 40


def may_manage(manager: User, user: User) -> bool:
    """Return whether the manager may change the account.

    Nobody changes their own, so that nobody gives themselves a role, or locks themselves out. A
    publisher of one newsletter manages those who work for that newsletter only.
    """
    if manager.is_superuser:
        return True
    if user.is_superuser or user.pk == manager.pk or not manager.has_perm(_CHANGE):
        return False
    ids = newsletter_ids(manager, _CHANGE)
    return ids is None or all(each.newsletter_id in ids for each in user.memberships.all())


def roles_to_give(manager: User) -> QuerySet[Group]:
    """Return the desk's own roles; an administrator may also give other groups."""
    rows = Group.objects.order_by("pk")
    return rows if manager.is_superuser else rows.filter(name__in=ROLES)


def free_username(email: str) -> str:
    """Return a name for signing in that nobody has yet: the part of the address before the @."""
    base = email.partition("@")[0][:_LONGEST_USERNAME] or "account"
    name, number = base, 1
    while User.objects.filter(username__iexact=name).exists():
        number += 1
        name = f"{base}{number}"
    return name
