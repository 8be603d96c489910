"""Each URL of the desk: what it is about, and the permission without which it is refused.

`test_walk.py` fails for a URL that isn't listed here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from newsletter.desk.access.roles import CONTROL, SEND
from newsletter.editorial.models import Article
from tests.desk.access.world import Side, World, content_type


class About(Enum):
    ROW = "row"
    """A row of one newsletter: only a role for that newsletter opens it."""
    SHARED = "shared"
    """Rows that all newsletters share, or a list, which shows each role only what it may see."""
    NEWSROOM = "newsroom"
    """The newsroom itself: only a role for all newsletters opens it."""


@dataclass(frozen=True)
class Page:
    needs: str
    """The permission; "" for everybody who may sign in."""
    about: About = About.SHARED
    args: Callable[[Side, World], list[Any]] = lambda _side, _world: []
    is_post: bool = False
    """Whether it answers POST only."""
    is_empty: bool = False
    """Whether there is nothing to show of these rows, so that it isn't found."""


def _row(name: str) -> Callable[[Side, World], list[Any]]:
    return lambda side, _world: [getattr(side, name).pk]


def _text(*more: Any) -> Callable[[Side, World], list[Any]]:
    return lambda side, _world: [side.article.pk, "en", *more]


VIEW_ARTICLE, WRITE = "editorial.view_article", "editorial.change_articletranslation"
VIEW_ISSUE, CHANGE_ISSUE = "editorial.view_issue", "editorial.change_issue"
VIEW_MAILING = "delivery.view_mailing"
_edition = lambda side, _world: [side.mailing.pk, side.edition.pk]  # noqa: E731
_month = lambda side, _world: [side.newsletter.slug, "2017-07"]  # noqa: E731

PAGES: dict[str, Page] = {
    "index": Page(""),
    "password_change": Page(""),
    "password_change_done": Page(""),
    "view_on_site": Page("", args=lambda side, _world: [content_type(Article), side.article.pk]),
    "clean_pasted": Page("", is_post=True),
    "roles": Page(""),
    "kill_switch": Page(CONTROL),
    "transports": Page(VIEW_MAILING),
    "transport_retry": Page(CONTROL, is_post=True),
    "deleted": Page("editorial.delete_article"),
    "restore": Page("editorial.delete_article", About.ROW, _row("deleted"), is_post=True),
    # An article's page
    "editorial_article_text": Page(VIEW_ARTICLE, About.ROW, _text()),
    "editorial_article_text_autosave": Page(WRITE, About.ROW, _text(), is_post=True),
    "editorial_article_text_presence": Page(VIEW_ARTICLE, About.ROW, _text(), is_post=True),
    "editorial_article_text_remove": Page(
        "editorial.delete_articletranslation", About.ROW, _text()
    ),
    "editorial_article_text_history": Page(VIEW_ARTICLE, About.ROW, _text()),
    "editorial_article_text_revision": Page(VIEW_ARTICLE, About.ROW, _text(1)),
    "editorial_article_text_conflict": Page(WRITE, About.ROW, _text(1)),
    # An issue's page
    "editorial_issue_preview": Page(VIEW_ISSUE, About.ROW, _row("issue")),
    "editorial_issue_preview_frame": Page(VIEW_ISSUE, About.ROW, _row("issue")),
    "editorial_issue_test": Page(VIEW_ISSUE, About.ROW, _row("issue")),
    "editorial_issue_approve": Page(SEND, About.ROW, _row("issue"), is_post=True),
    "editorial_issue_withdraw": Page(SEND, About.ROW, _row("issue"), is_post=True),
    "editorial_issue_send": Page(SEND, About.ROW, _row("issue")),
    "editorial_issue_hold": Page(SEND, About.ROW, _row("issue")),
    "editorial_issue_release": Page(SEND, About.ROW, _row("issue")),
    "editorial_issue_order": Page(CHANGE_ISSUE, About.ROW, _row("issue"), is_post=True),
    "editorial_issue_add_article": Page(CHANGE_ISSUE, About.ROW, _row("issue")),
    # Mailings
    "delivery_mailing_edition": Page(VIEW_MAILING, About.ROW, _edition),
    "delivery_mailing_edition_frame": Page(VIEW_MAILING, About.ROW, _edition),
    "delivery_round_up": Page(VIEW_MAILING, About.ROW, _month),
    "delivery_round_up_frame": Page(VIEW_MAILING, About.ROW, _month, is_empty=True),
    "delivery_mailing_act": Page(
        CONTROL, About.ROW, lambda side, _world: [side.mailing.pk, "pause"]
    ),
    # Pictures
    "editorial_picture_picker": Page("editorial.view_picture"),
    "editorial_picture_dialog": Page("editorial.view_picture"),
    # Readers
    "subscribers_subscriber_lift": Page(
        "subscribers.delete_suppression", About.ROW, _row("subscriber")
    ),
}

NOBODY = "nobody"
"""The permission to add, change or delete rows that only a reader's or a worker's actions make."""


def _stock(
    model: str,
    args: Callable[[Side, World], list[Any]],
    *,
    about: About = About.ROW,
    without: str = "",
    app: str = "editorial",
) -> None:
    """List the five pages that Django's admin has for each model."""
    for page, action in (
        ("changelist", "view"),
        ("add", "add"),
        ("history", "view"),
        ("delete", "delete"),
        ("change", "view"),
    ):
        needs = NOBODY if action in without.split() else f"{app}.{action}_{model}"
        is_about_row = page not in {"changelist", "add"}
        PAGES[f"{app}_{model}_{page}"] = Page(
            needs,
            about if is_about_row else About.SHARED,
            args if is_about_row else (lambda _side, _world: []),
        )


_READ_ONLY = "add delete change"
_stock("article", _row("article"))
_stock("issue", _row("issue"))
_stock("topic", _row("topic"))
_stock("newsletter", _row("newsletter"))
_stock(
    "newsroom",
    lambda _side, world: [world.newsroom.pk],
    about=About.NEWSROOM,
    without="delete add",
)
_stock("picture", lambda _side, world: [world.picture.pk], about=About.SHARED)
_stock("mailing", _row("mailing"), app="delivery", without=_READ_ONLY)
for _model in ("subscriber", "subscription", "export"):
    _stock(_model, _row(_model), app="subscribers", without=_READ_ONLY)
_stock("unsubscribereason", _row("reason"), app="subscribers", without=_READ_ONLY)
_stock(
    "suppression",
    lambda _side, world: [world.suppression.pk],
    app="subscribers",
    about=About.SHARED,
    without=_READ_ONLY,
)

FOR_ADMINISTRATORS = {"editorial_user_invite"} | {
    f"{model}_{page}"
    for model in ("auth_group", "editorial_user")
    for page in ("changelist", "add", "history", "delete", "change")
}
"""Pages that test_accounts.py covers."""
TESTED_IN_OTHER_WAYS = {"app_list", "autocomplete"}
WITHOUT_SIGNING_IN = {"login", "logout", "set_language", "sign_in_again", "jsi18n"}

OPEN_TO_ALL = {
    *("account_login", "mfa_authenticate", "mfa_login_webauthn"),
    *("password_forgotten", "password_requested", "password_choose"),
}
ONES_OWN = {
    *("account_home", "account_end_session", "account_end_others", "account_reauthenticate"),
    *("mfa_reauthenticate", "mfa_reauthenticate_webauthn", "mfa_index"),
    *("mfa_activate_totp", "mfa_deactivate_totp"),
    *("mfa_view_recovery_codes", "mfa_generate_recovery_codes"),
    *("mfa_list_webauthn", "mfa_add_webauthn", "mfa_remove_webauthn", "mfa_edit_webauthn"),
}
"""Pages of sign_in.urls about one's own account: everybody has their own, and nobody another's."""
