"""Links: redirects are unwrapped, tracking parameters removed, and links to nowhere unlinked."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, parse_qs, urlsplit, urlunsplit

from newsletter.digest.rich_text.attributes import link_target
from newsletter.digest.rich_text.table import NOTE
from newsletter.digest.rich_text.tree import Element
from newsletter.editorial.rich_text.dropped import Kind, Report

_REDIRECTS = (
    (r"(www\.)?google(\.[a-z]{2,3}){1,2}", r"/url", ("q", "url")),
    (r"(l|lm)\.(facebook|instagram)\.com", r"/(l\.php)?", ("u",)),
    (r"(www\.)?youtube\.com", r"/redirect", ("q",)),
    (r"(www\.|m\.)?vk\.com", r"/away\.php", ("to",)),
    (r"[\w.-]+\.safelinks\.protection\.outlook\.com", r"/.*", ("url",)),
)
"""Host, path and parameters of pages that only lead on to another."""

_TRACKING = re.compile(r"(utm_\w+|fbclid|gclid|yclid|mc_cid|mc_eid)", re.IGNORECASE)
_MOST_REDIRECTS = 3


def prepare(root: Element, report: Report) -> None:
    """Bring the URLs of all links into the form that is stored, or remove the links."""
    for node in root.elements():
        if node.tag == "a" and not node.attrs.get("href", "").startswith(f"#{NOTE}"):
            _prepare_link(node, report)


def _prepare_link(node: Element, report: Report) -> None:
    original = node.attrs.pop("href", "").strip()
    if not original:
        if "id" not in node.attrs and "name" not in node.attrs and node.text().strip():
            report.add(Kind.LINK, node.text())
        return
    # In an email, a relative URL leads nowhere, and "//host" takes the email app's scheme.
    if original.startswith("/") or not link_target(original):
        if node.text().strip():
            report.add(Kind.LINK, f"{node.text().strip()} ({original})")
        return
    target = unwrap(original)
    if target != original:
        report.add(Kind.REDIRECT, target)
    url = without_tracking(target)
    if url != target:
        report.add(Kind.TRACKING, url)
    node.attrs["href"] = url


def unwrap(url: str) -> str:
    """Return the page that a redirect of Google, Facebook and others leads to."""
    for _attempt in range(_MOST_REDIRECTS):
        target = _target(urlsplit(url))
        if not target or target.startswith("/") or not link_target(target):
            break
        url = target
    return url


def _target(parts: SplitResult) -> str:
    for host, path, names in _REDIRECTS:
        if re.fullmatch(host, parts.hostname or "") and re.fullmatch(path, parts.path or "/"):
            query = parse_qs(parts.query)
            return next((query[name][0].strip() for name in names if name in query), "")
    return ""


def without_tracking(url: str) -> str:
    """Return the URL without parameters that only tell where a visitor came from."""
    parts = urlsplit(url)
    kept = [
        part for part in parts.query.split("&") if not _TRACKING.fullmatch(part.partition("=")[0])
    ]
    query = "&".join(kept)
    return url if query == parts.query else urlunsplit(parts._replace(query=query))
