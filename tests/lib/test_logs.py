"""Every process logs lines of the same form: an action and its facts, never an address (G8)."""

from __future__ import annotations

import ast
import logging
import sys
from pathlib import Path
from typing import Any

import pytest

from newsletter.lib import logs

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCES = [*(ROOT / "newsletter").rglob("*.py"), *(ROOT / "subscribers").rglob("*.py")]
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


def line(name: str, message: str, *args: object, **extra: Any) -> str:
    logger = logging.getLogger(name)
    record = logger.makeRecord(name, logging.INFO, "f", 1, message, args, None, extra=extra)
    return logs.KeyValueFormatter().format(record).split(" ", 2)[2]


def test_extra_facts_are_in_the_line() -> None:
    said = line("newsletter.delivery.sending.protocol", "finish", batch=7, mailing=3)
    assert said == "INFO newsletter.delivery.sending.protocol action=finish batch=7 mailing=3"


@pytest.mark.parametrize(
    ("fact", "written"),
    [
        ("", '""'),
        (None, "None"),
        ("two words", '"two words"'),
        ("a=b", '"a=b"'),
        ('say "hi"', r'"say \"hi\""'),
        ("one\n2026 ERROR forged", r'"one\n2026 ERROR forged"'),
        ("Тыдзень", "Тыдзень"),
    ],
)
def test_a_fact_stays_one_value_on_one_line(fact: object, written: str) -> None:
    assert line("subscribers.intake", "x", fact=fact).endswith(f"action=x fact={written}")


def test_lines_of_other_libraries_are_unchanged() -> None:
    said = line("celery.worker", "Connected to %s", "redis://127.0.0.1", data={"a": 1})
    assert said == "INFO celery.worker Connected to redis://127.0.0.1"


def test_a_traceback_follows_the_line() -> None:
    try:
        raise RuntimeError("broken")
    except RuntimeError:
        record = logging.LogRecord("newsletter.x", 40, "f", 1, "failed", (), sys.exc_info())
    first, *rest = logs.KeyValueFormatter().format(record).splitlines()
    assert first.endswith("action=failed")
    assert rest[-1] == "RuntimeError: broken"


def calls() -> list[tuple[str, ast.Call]]:
    """Return every call that logs something, with its place in the source."""
    return [
        (f"{path.relative_to(ROOT)}:{node.lineno}", node)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in LEVELS
        and ast.unparse(node.func.value) in {"log", "logger", "logging"}
    ]


def test_every_call_names_an_action_and_gives_facts_as_extra() -> None:
    found = calls()
    assert len(found) > 20
    wrong = []
    for place, call in found:
        action = call.args[0].value if isinstance(call.args[0], ast.Constant) else None
        named = isinstance(action, str) and action.replace("-", "").isalpha()
        if len(call.args) != 1 or not named:
            wrong.append(place)
    assert wrong == []
