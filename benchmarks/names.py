"""Names of the contenders in the report."""

from __future__ import annotations

OURS = "Tydzen"
NAIVE = "naive Django, 2 processes"
SOURCE = "smtp-source -d -s10"
C_DATA = "pipelined C, 4 connections"
C_BDAT = "pipelined C, BDAT"
DATA = f"{OURS}, DATA"
BDAT = f"{OURS}, BDAT"
DATA_TLS = f"{OURS}, DATA, TLS"
BDAT_TLS = f"{OURS}, BDAT, TLS"
STAGES = "stages, DATA"
STAGES_BDAT = "stages, BDAT"


def delayed(kind: str, milliseconds: int) -> str:
    return f"{OURS}, {kind}, {milliseconds} ms a reply"


def sized(readers: int) -> str:
    return f"{OURS}, DATA, {readers:,} readers"


def provider(name: str) -> tuple[str, str]:
    """Return the names for sending in batches and one by one."""
    return f"{OURS}, {name} in batches", f"{OURS}, {name} one by one"


def is_default(name: str) -> bool:
    """Return whether it is this program with default connections and without TLS."""
    return name in {DATA, BDAT} or (name.startswith(OURS) and name.endswith("readers"))
