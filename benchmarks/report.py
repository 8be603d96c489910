"""Write a table, a picture and a JSON file from one run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import names, picture
from benchmarks.goals import reached
from benchmarks.plan import DELAY_CONNECTIONS, Plan
from benchmarks.samples import Results
from benchmarks.sendout import WORKERS

FOLDER = Path(__file__).parent / "results"


def write(results: Results, plan: Plan, *, kind: str) -> None:
    """Write latest.md, latest.svg and a dated JSON file."""
    FOLDER.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    (FOLDER / "latest.svg").write_text(picture.draw(results), encoding="utf-8")
    text = "\n".join(_lines(results, plan, f"{now:%Y-%m-%d %H:%M} UTC, {kind}")) + "\n"
    (FOLDER / "latest.md").write_text(text, encoding="utf-8")
    found = list(reached(results))
    document = {
        "at": now.isoformat(timespec="seconds"),
        "kind": kind,
        "plan": asdict(plan),
        "notes": results.notes,
        "goals": [{**asdict(goal), "met": goal.met} for goal in found],
        "samples": {
            name: [asdict(s) for s in samples] for name, samples in results.samples.items()
        },
        "parts": results.parts,
    }
    path = FOLDER / f"{now:%Y-%m-%d}-{kind}.json"
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _lines(results: Results, plan: Plan, when: str) -> Iterator[str]:
    yield "# Latest measurement"
    yield ""
    yield f"{when}. Made by `make bench`; [README](../README.md) says how to read it."
    yield ""
    yield "![Messages a second](latest.svg)"
    yield ""
    yield from _contenders(results)
    yield from _goals(results)
    yield from _stages(results)
    yield "## Notes"
    yield ""
    for note in results.notes:
        yield f"- {note}"
    yield f"- Delayed replies: {WORKERS} workers with {DELAY_CONNECTIONS} connections each."
    yield f"- Medians of {plan.rounds} interleaved rounds for what has a ±; else one run."


def _contenders(results: Results) -> Iterator[str]:
    yield "| sender | messages/s | ± | CPU s/1000 | database CPU s/1000 | × naive | memory MB |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    naive = results.rate(names.NAIVE)
    for name, samples in results.samples.items():
        if name in {names.STAGES, names.STAGES_BDAT}:
            continue
        database = samples[-1].more.get("database cpu")
        cells = [
            name,
            f"{results.rate(name):,.0f}",
            f"{results.spread(name):.0%}" if len(samples) > 1 else "",
            f"{results.cpu(name):.3f}",
            f"{database / samples[-1].messages * 1000:.3f}" if database is not None else "",
            f"{results.rate(name) / naive:,.1f}",
            f"{results.memory(name) / 1e6:.0f}" if results.memory(name) else "",
        ]
        yield f"| {' | '.join(cells)} |"
    yield ""


def _goals(results: Results) -> Iterator[str]:
    yield "## Goals"
    yield ""
    yield "| figure | reached | goal | gate in CI | |"
    yield "|---|---:|---:|---:|---|"
    for goal in reached(results):
        sign = "≥" if goal.least else "≤"
        cells = [goal.figure, f"{goal.value:.2f}" if goal.value < 10 else f"{goal.value:.0f}"]
        cells += [f"{sign} {goal.goal:g}", f"{sign} {goal.gate:g}", goal.verdict]
        yield f"| {' | '.join(cells)} |"
    yield ""


def _stages(results: Results) -> Iterator[str]:
    yield "## Stages"
    yield ""
    yield "Microseconds a message, of both workers together: by the clock, and of CPU time."
    yield ""
    yield "| stage | DATA, clock | CPU | BDAT, clock | CPU |"
    yield "|---|---:|---:|---:|---:|"
    data, bdat = results.stages(names.STAGES), results.stages(names.STAGES_BDAT)
    for stage in data:
        cells = [f"{value:.1f}" for value in (*data[stage], *bdat.get(stage, (0.0, 0.0)))]
        yield f"| {stage} | {' | '.join(cells)} |"
    yield ""
    yield "| part, alone | µs |"
    yield "|---|---:|"
    for part, microseconds in results.parts.items():
        yield f"| {part} | {microseconds:,.1f} |"
    yield ""
