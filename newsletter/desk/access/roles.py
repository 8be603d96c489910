"""The desk's roles, as user groups. They are created once; the newsroom may change them afterwards.

A person gets a role for all newsletters or for one, and for all languages or for some
(editorial.Membership).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SEND = "editorial.send_issue"
"""The permission to approve, schedule and send issues."""
CONTROL = "delivery.control_mailing"
"""The permission to pause, resume and cancel mailings, to retry transports, and to turn on the kill
switch."""
MAKE_READY = "editorial.make_ready"
"""The permission to make texts ready, which publishes them, and to change those that are."""

WRITER, TRANSLATOR, EDITOR = "Writer", "Translator", "Editor"
PUBLISHER, SUBSCRIBER_MANAGER, OPERATOR = "Publisher", "Subscriber manager", "Operator"

_ALL = ("add", "change", "delete", "view")
_CONTENT = "issue issuetranslation article articletranslation picture trend topic topictranslation"
_SETTINGS = "newsletter newslettertranslation newsroom newsroomtranslation"


@dataclass(frozen=True)
class Role:
    """A role's translated name and description, and its permissions."""

    label: Promise
    meaning: Promise
    permissions: tuple[str, ...]
    """Such as "editorial.view_issue"."""


def _codes(app: str, models: str, *actions: str) -> Iterator[str]:
    return (f"{app}.{action}_{model}" for model in models.split() for action in actions)


_READING = tuple(_codes("editorial", "issue issuetranslation article topic picture", "view"))
_WRITING = (
    *_READING,
    *_codes("editorial", "articletranslation", "add", "change", "view"),
    *_codes("editorial", "picture", "add"),
)
_EDITING = (
    *_codes("editorial", _CONTENT, *_ALL),
    *_codes("editorial", _SETTINGS, "view"),
    *_codes("delivery", "mailing", "view"),
    *_codes("subscribers", "unsubscribereason", "view"),
    MAKE_READY,
)

ROLES: dict[str, Role] = {
    WRITER: Role(
        _("Writer"),
        _(
            "Adds articles and writes texts, and hands them in for review. Does not publish, "
            "delete or send."
        ),
        (*_WRITING, *_codes("editorial", "article", "add", "change")),
    ),
    TRANSLATOR: Role(
        _("Translator"),
        _(
            "Translates articles into the languages listed, and hands the texts in for review. "
            "Does not publish or send."
        ),
        _WRITING,
    ),
    EDITOR: Role(
        _("Editor"),
        _(
            "Edits all texts and makes them ready, and arranges issues: order, subjects, trends, "
            "pictures, topics. Does not send."
        ),
        _EDITING,
    ),
    PUBLISHER: Role(
        _("Publisher"),
        _(
            "Does all that an editor does; approves, schedules and sends issues, changes the "
            "newsletter’s settings, and invites colleagues."
        ),
        (
            *_EDITING,
            *_codes("editorial", _SETTINGS, "add", "change"),
            *_codes("editorial", "user", "add", "change", "view"),
            SEND,
            CONTROL,
        ),
    ),
    SUBSCRIBER_MANAGER: Role(
        _("Subscriber manager"),
        _(
            "Sees readers and what became of their emails, without addresses, and lifts "
            "suppressions when a reader asks."
        ),
        (
            *_codes(
                "subscribers",
                "subscriber subscription consent suppression export unsubscribereason",
                "view",
            ),
            "subscribers.delete_suppression",
            *_codes("delivery", "mailing", "view"),
        ),
    ),
    OPERATOR: Role(
        _("Operator"),
        _(
            "Watches mailings and transports, and can pause, resume and cancel mailings or stop "
            "all sending. Writes and approves nothing."
        ),
        (
            *_codes("delivery", "mailing", "view"),
            *_codes("editorial", "issue newsletter newsroom", "view"),
            CONTROL,
        ),
    ),
}


def create_roles(**signal: Any) -> None:
    """Create the roles with their permissions after `migrate`, unless they exist."""
    for name, role in ROLES.items():
        group, is_new = Group.objects.get_or_create(name=name)
        if is_new:
            group.permissions.set(_stored(role.permissions))


def _stored(names: tuple[str, ...]) -> list[Permission]:
    rows = Permission.objects.select_related("content_type")
    return [row for row in rows if f"{row.content_type.app_label}.{row.codename}" in names]


def label_of(group: Group) -> str:
    """Return the role's name in the active language; a group of the newsroom's own keeps its."""
    role = ROLES.get(group.name)
    return str(role.label) if role else group.name
