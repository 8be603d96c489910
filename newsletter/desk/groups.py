"""The desk's two user groups. They are created once; the newsroom may change them afterwards."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission

EDITORS = "Editors"
TRANSLATORS = "Translators"

_EDITOR_PERMISSIONS = [
    (
        "editorial",
        [
            *("issue", "issuetranslation", "article", "articletranslation"),
            *("picture", "trend", "topic", "topictranslation"),
        ],
        ["add", "change", "delete", "view"],
    ),
    (
        "editorial",
        ["newsletter", "newslettertranslation", "newsroom", "newsroomtranslation"],
        ["add", "change", "view"],
    ),
    ("delivery", ["mailing"], ["view"]),
    ("subscribers", ["unsubscribereason"], ["view"]),
]
_TRANSLATOR_PERMISSIONS = [
    ("editorial", ["article"], ["change", "view"]),
    ("editorial", ["articletranslation"], ["add", "change", "view"]),
    ("editorial", ["picture"], ["add", "view"]),
    ("editorial", ["issue", "issuetranslation", "topic"], ["view"]),
]
SEND = "editorial.send_issue"
"""The permission to approve and send issues, to pause and cancel mailings, and to turn on the kill
switch."""


def create_groups(**signal: Any) -> None:
    """Create the groups with their permissions after `migrate`, unless they exist."""
    for name, rules in ((EDITORS, _EDITOR_PERMISSIONS), (TRANSLATORS, _TRANSLATOR_PERMISSIONS)):
        group, is_new = Group.objects.get_or_create(name=name)
        if not is_new:
            continue
        for app, models, actions in rules:
            codes = [f"{action}_{model}" for model in models for action in actions]
            group.permissions.add(
                *Permission.objects.filter(content_type__app_label=app, codename__in=codes)
            )
        if name == EDITORS:
            app, _, code = SEND.partition(".")
            group.permissions.add(
                *Permission.objects.filter(content_type__app_label=app, codename=code)
            )
