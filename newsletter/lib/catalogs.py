"""Compiles gettext catalogs. The compiled files are not under version control."""

from __future__ import annotations

import os
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po


def compile_catalogs(base: Path) -> int:
    """Compile every `*.po` below `base` that is newer than its `.mo`; return how many.

    Each `.mo` is written to a temporary file and renamed, so that a process that is just starting
    reads either the old one or the new one.
    """
    stale = [source for source in sorted(base.rglob("*.po")) if _is_stale(source)]
    for source in stale:
        _compile(source)
    return len(stale)


def _is_stale(source: Path) -> bool:
    target = source.with_suffix(".mo")
    return not target.exists() or target.stat().st_mtime < source.stat().st_mtime


def _compile(source: Path) -> None:
    with source.open("rb") as file:
        catalog = read_po(file, locale=source.parent.parent.name, domain=source.stem)
    unfinished = source.with_suffix(f".{os.getpid()}.tmp")
    with unfinished.open("wb") as file:
        write_mo(file, catalog)
    unfinished.replace(source.with_suffix(".mo"))
