"""CONTRIBUTING.md: imports go one way, and nothing reaches into another app's entry points."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

RANKS = {
    "newsletter.lib": 0,
    "newsletter.digest": 1,
    "newsletter.transport": 1,
    "newsletter.editorial": 2,
    "subscribers": 3,
    "newsletter.delivery": 4,
    "newsletter.web": 5,
    "newsletter.desk": 5,
    "newsletter.local": 6,
}
"""Each part may import itself and what has a lower rank."""

WIRING = {"newsletter.urls", "newsletter.celery", "newsletter.checks", "newsletter.settings"}
"""Modules of the project itself, which know all parts; only `local` may know them."""

ENTRY_POINTS = {"admin", "views", "tasks"}


SPEAK_TO_THE_DATABASE = {
    "newsletter.lib.fields",
    "newsletter.lib.languages",
    "newsletter.lib.outages",
    "newsletter.lib.prepared_statements",
}
"""Model fields, a “SELECT 1” and a cursor: they know no model either."""


def part_of(module: str) -> str | None:
    return next((part for part in RANKS if f"{module}.".startswith(f"{part}.")), None)


def imported(source: str, module: str, *, package: bool) -> Iterator[str]:
    """Every module that `source` names in an import, absolute; `from a import b` gives a.b."""
    home = module.split(".") if package else module.split(".")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = home[: len(home) - node.level + 1] if node.level else []
            base = ".".join([*start, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def entry_point(part: str, target: str) -> bool:
    rest = target.removeprefix(part).strip(".").split(".")
    return rest[0] in ENTRY_POINTS


def violations(source: str, module: str, *, package: bool = False) -> list[str]:
    """What in `source`, the module's text, breaks the rules."""
    own = part_of(module)
    found = []
    for target in imported(source, module, package=package):
        other = part_of(target)
        if other and other != own and entry_point(other, target):
            if module not in {"newsletter.urls", "newsletter.celery"}:
                found.append(f"{module}: {target} is an entry point of another app")
        elif own and other and other != own and RANKS[other] >= RANKS[own]:
            found.append(f"{module}: {own} must not import {target}")
        elif own and own != "newsletter.local" and not other and _is_wiring(target):
            found.append(f"{module}: {target} wires the parts together, not the reverse")
        elif own in {"newsletter.lib", "newsletter.digest", "newsletter.transport"} and (
            _is_models(target) and module not in SPEAK_TO_THE_DATABASE
        ):
            found.append(f"{module}: {own} knows no models ({target})")
    return found


def _is_wiring(target: str) -> bool:
    return any(f"{target}.".startswith(f"{name}.") for name in WIRING)


def _is_models(target: str) -> bool:
    return f"{target}.".startswith("django.db.")


def modules() -> list[tuple[Path, str]]:
    found = []
    for top in ("newsletter", "subscribers"):
        for path in sorted((ROOT / top).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found.append((path, ".".join(parts[:-1] if parts[-1] == "__init__" else parts)))
    return found


def test_every_module_keeps_the_direction() -> None:
    found = []
    for path, module in modules():
        source = path.read_text(encoding="utf-8")
        found += violations(source, module, package=path.name == "__init__.py")
    assert found == []


def test_the_walk_sees_every_part() -> None:
    assert {part_of(module) for _, module in modules()} - {None} == set(RANKS)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("newsletter.lib.keys", "import newsletter.digest.content"),
        ("newsletter.lib.keys", "from newsletter import editorial"),
        ("newsletter.digest.render", "from newsletter.transport.outcomes import Mail"),
        ("newsletter.transport.esp.post", "from newsletter.digest import content"),
        ("newsletter.digest.render", "def f():\n    from django.db import models"),
        ("newsletter.editorial.content", "from subscribers.models import Subscriber"),
        ("subscribers.lifecycle", "import newsletter.delivery.planning.snapshot"),
        ("newsletter.delivery.planning.snapshot", "from newsletter.web.context import newsroom"),
        ("newsletter.web.archive", "from newsletter.desk.site import DeskSite"),
        ("newsletter.desk.site", "from ..web import context"),
        ("newsletter.web.home", "from newsletter.local import mailbox"),
        (
            "newsletter.delivery.sending.sender",
            "from newsletter.editorial.admin import ArticleAdmin",
        ),
        ("newsletter.desk.site", "from subscribers import views"),
        ("newsletter.desk.site", "from newsletter.delivery.tasks import tick"),
        ("newsletter.local.sample.load", "from newsletter.web.views.home import home"),
        ("newsletter.checks", "from newsletter.editorial import admin"),
        ("newsletter.editorial.content", "from newsletter.settings import DEBUG"),
    ],
)
def test_a_violation_is_found(module: str, source: str) -> None:
    assert len(violations(source, module)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("newsletter.digest.render", "from newsletter.lib.placeholders import Place"),
        ("newsletter.web.views.home", "from newsletter.web import views"),
        ("newsletter.desk.site", "from subscribers.lifecycle import confirm"),
        ("newsletter.local.apps", "from newsletter import checks"),
        ("newsletter.urls", "import newsletter.web.views"),
        ("subscribers.urls", "from . import views"),
        ("newsletter.lib.languages", "from django.db import models"),
    ],
)
def test_what_is_allowed_is_let_through(module: str, source: str) -> None:
    assert violations(source, module) == []
