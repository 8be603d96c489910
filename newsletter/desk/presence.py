"""Who has an article's page open. Kept in the cache for a minute; without a cache, nobody is shown.

A page sends a heartbeat every 20 seconds. Each answer also says which revision of the text is the
newest, so that a page learns of it before its author tries to save.
"""

from __future__ import annotations

import logging
import time
from dataclasses import asdict, dataclass
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, JsonResponse
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from newsletter.desk.approvals import changes_no_issue
from newsletter.desk.article_access import language_of, visible_article
from newsletter.desk.view_helpers import user_of
from newsletter.editorial.models import Article, Revision, User
from newsletter.editorial.revisions import revisions_of
from newsletter.lib.languages import language_name_in

log = logging.getLogger(__name__)
SECONDS = 60
"""How long somebody is shown after the last heartbeat."""
IDLE_MINUTES = 2


@dataclass(frozen=True)
class Visitor:
    name: str
    language: str
    active_at: float
    """When they last touched the page, as a Unix time."""


def name_of(user: User | None) -> str:
    """Return how the desk names somebody."""
    return (user.get_short_name() or user.get_username()) if user else _("Somebody")


@changes_no_issue
@require_POST
def heartbeat(request: HttpRequest, article_id: int, language: str) -> JsonResponse:
    """Note that the user has the page open; return the others, and the newest revision."""
    article = visible_article(request, article_id)
    language_of(article, language)
    user = user_of(request)
    idle = request.POST.get("idle", "")
    active_at = time.time() - (min(int(idle), 86_400) if idle.isdecimal() else 0)
    others = _note(article, user, Visitor(name_of(user), language, active_at))
    newest = revisions_of(article, language).exclude(kind=Revision.Kind.KEPT).first()
    return JsonResponse(
        {
            "people": [{"name": each.name, "text": describe(each)} for each in others],
            "revision": newest.number if newest else 0,
            "by": name_of(newest.author) if newest else "",
        }
    )


def _note(article: Article, user: User, visitor: Visitor) -> list[Visitor]:
    """Store the visitor and return the other ones. One key each, so that nobody is overwritten."""
    staff = User.objects.filter(is_active=True, is_staff=True).exclude(pk=user.pk)
    keys = [_key(article, pk) for pk in staff.values_list("pk", flat=True)]
    try:
        cache.set(_key(article, user.pk), asdict(visitor), SECONDS)
        found: dict[str, dict[str, Any]] = cache.get_many(keys)
    except Exception as error:  # noqa: BLE001 - any cache backend's own
        log.info("presence-unavailable", extra={"error": type(error).__name__})
        return []
    return sorted((Visitor(**values) for values in found.values()), key=lambda each: each.name)


def _key(article: Article, user_id: int) -> str:
    return f"presence:{article.pk}:{user_id}"


def describe(visitor: Visitor) -> str:
    """Return where somebody is: "Maya is here, in English (idle 5 min)"."""
    values = {
        "name": visitor.name,
        "language": language_name_in(visitor.language, get_language() or visitor.language),
    }
    minutes = int((time.time() - visitor.active_at) // 60)
    if minutes < IDLE_MINUTES:
        return _("%(name)s is here (%(language)s)") % values
    idle = ngettext("idle for %(minutes)s minute", "idle for %(minutes)s minutes", minutes)
    return _("%(name)s is here (%(language)s, %(idle)s)") % {
        **values,
        "idle": idle % {"minutes": minutes},
    }
