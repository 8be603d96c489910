"""What an approval covers (I2): a hash of everything that an issue's emails are made of.

Reader by reader, emails differ only by what this hash covers: an edition selects from the issue's
content, and adds the newsletter's names, sender and defaults. It doesn't cover who saved a text or
how often, so writing the same words again changes nothing, nor the copies of pictures, which are
made when they are first needed.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from newsletter.digest import content
from newsletter.editorial.content import issue_content, newsletter_content
from newsletter.editorial.models import Issue, Newsletter

_EVER = datetime(9999, 1, 1, tzinfo=UTC)


def approvable_content(issue: Issue, *, make_copies: bool = True) -> content.Issue:
    """Return the issue with all its ready articles, also those that are timed for later."""
    return issue_content(issue, at=_EVER, make_copies=make_copies)


def digest(contents: content.Issue, newsletter: Newsletter) -> str:
    """Return the hash of an issue's content as this newsletter sends it: 64 hex digits."""
    settings = {
        name: getattr(newsletter, name)
        for name in ("sender_address", "reply_to", "list_domain", "content", "pictures")
    }
    parts = [_values(contents), _values(newsletter_content(newsletter)), settings]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def current_digest(issue: Issue) -> str:
    """Return the hash of the issue as it is now."""
    return digest(approvable_content(issue, make_copies=False), issue.newsletter)


def holds(issue: Issue) -> bool:
    """Return whether the issue is approved as it is now."""
    return issue.is_approved and issue.approved_digest == current_digest(issue)


def _values(value: Any) -> Any:
    """Return the fields of content, without those of one copy or revision."""
    values = asdict(value)
    texts = list(values.get("texts", {}).values())
    for article in values.get("articles", ()):
        texts += article["texts"].values()
        if picture := article["picture"]:
            article["picture"] = [picture["source"], picture["credit"]]
    for text in texts:
        text.pop("pictures")
        text.pop("revision", None)
    return values
