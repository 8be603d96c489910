"""Measure everything in one run, with the contenders taking turns, and write the report."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from pathlib import Path
from time import perf_counter

import django
from django.conf import settings
from django.core.management import call_command

django.setup()

from benchmarks import baselines, names, newsroom, providers, report, sendout  # noqa: E402
from benchmarks.goals import reached  # noqa: E402
from benchmarks.plan import (  # noqa: E402
    BDAT_WINDOW,
    DELAY_CONNECTIONS,
    FULL,
    GATE,
    QUICK,
    Plan,
)
from benchmarks.processes import is_quiet, machine  # noqa: E402
from benchmarks.programs import Programs, compile_all  # noqa: E402
from benchmarks.samples import Results, Sample  # noqa: E402
from benchmarks.sendout import Run  # noqa: E402
from newsletter.editorial.models import Newsletter  # noqa: E402
from tests.transport.certificate import certificate  # noqa: E402


class Measurement:
    """One run of the benchmark. `newsletters` are keyed by their number of readers."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan, self.folder = plan, folder
        self.results = Results()
        self.programs: Programs = compile_all(folder)
        self.newsletters: dict[int, Newsletter] = {}
        self.message = folder / "message"
        self.began = perf_counter()

    def say(self, text: str) -> None:
        print(f"{perf_counter() - self.began:6.1f} s  {text}", flush=True)

    def add(self, name: str, sample: Sample | None) -> None:
        if sample is None:
            return
        self.results.add(name, sample)
        self.say(f"{name}: {sample.rate:,.0f} messages/s, {sample.cpu_per_thousand:.3f} CPU s/1000")

    def prepare(self) -> None:
        call_command("migrate", verbosity=0)
        plan = self.plan
        counts = sorted({plan.ours, plan.delayed, *plan.sizes})
        began = perf_counter()
        newsroom.load_readers(counts[-1])
        seconds = perf_counter() - began
        self.results.notes.append(
            f"Loading {counts[-1]:,} encrypted readers: {counts[-1] / seconds:,.0f} rows/s (COPY)."
        )
        for count in counts:
            self.newsletters[count] = newsroom.create_newsletter(f"readers-{count}")
            newsroom.subscribe_all(self.newsletters[count], count)
        self.message.write_bytes(sendout.one_message(self.newsletters[plan.delayed]))
        self.say(f"{counts[-1]:,} readers, a message of {self.message.stat().st_size:,} bytes")

    def ours(self, name: str, readers: int, run: Run) -> None:
        self.add(name, sendout.measure(self.programs, self.newsletters[readers], run))
        sendout.clear_ledger()

    def turns(self) -> None:
        """Measure the contenders one after another in each round."""
        plan, programs = self.plan, self.programs
        size = self.message.stat().st_size
        for _ in range(plan.rounds):
            self.add(names.NAIVE, baselines.naive(programs, plan.naive))
            self.add(names.SOURCE, baselines.smtp_source(programs, plan.source, size))
            self.add(names.C_DATA, baselines.pipelined(programs, plan.blast, self.message))
            self.add(
                names.C_BDAT,
                baselines.pipelined(programs, plan.blast, self.message, window=BDAT_WINDOW),
            )
            self.ours(names.DATA, plan.ours, Run())
            self.ours(names.BDAT, plan.ours, Run(chunking=True))
        if not self.results.has(names.SOURCE):
            self.results.notes.append(
                "smtp-source is not installed (Debian: postfix), so its row and ratios are missing."
            )

    def encrypted(self) -> None:
        if not self.programs.tls:
            self.results.notes.append("OpenSSL's headers are missing: TLS was not measured.")
            return
        _, path = certificate(self.folder)
        for name, chunking in ((names.DATA_TLS, False), (names.BDAT_TLS, True)):
            self.ours(name, self.plan.ours, Run(chunking=chunking, certificate=path))

    def delayed(self) -> None:
        for delay in self.plan.delays:
            for kind, chunking in (("DATA", False), ("BDAT", True)):
                if chunking and not self.plan.with_report:
                    continue
                run = Run(
                    delay_ms=delay,
                    chunking=chunking,
                    connections=DELAY_CONNECTIONS,
                    step=sendout.DELAY_STEP,
                    batch=sendout.DELAY_BATCH,
                )
                self.ours(names.delayed(kind, delay), self.plan.delayed, run)

    def by_providers(self) -> None:
        """Anymail against a stand-in for the providers' APIs, in this process."""
        mail = sendout.one_email(self.newsletters[self.plan.delayed])
        with providers.standin() as base:
            for provider in providers.URLS:
                samples = providers.measure(
                    provider,
                    base,
                    mail,
                    messages=self.plan.provider,
                    single=self.plan.provider_single,
                )
                for name, sample in zip(names.provider(provider), samples, strict=True):
                    self.add(name, sample)

    def sizes(self) -> None:
        for size in self.plan.sizes:
            self.ours(names.sized(size), size, Run())

    def stages(self) -> None:
        """With clocks around the stages, so apart from what is compared."""
        for chunking, name in ((False, names.STAGES), (True, names.STAGES_BDAT)):
            sample = sendout.measure(
                self.programs, self.newsletters[self.plan.ours], Run(chunking=chunking, stages=True)
            )
            self.results.add(name, sample)
            sendout.clear_ledger()
        self.results.parts = sendout.parts(self.newsletters[self.plan.delayed])


def main() -> int:
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    # Hints go nowhere: the workers here look for themselves.
    settings.CELERY_BROKER_URL = "memory://"
    kind = next((name for name in ("GATE", "QUICK") if os.environ.get(name) not in _NO), "FULL")
    plan = {"GATE": GATE, "QUICK": QUICK, "FULL": FULL}[kind]
    run = Measurement(plan, Path(os.environ["BENCH_FOLDER"]))
    run.results.notes.append(machine())
    was_quiet = plan.with_report or is_quiet()
    run.prepare()
    run.turns()
    run.delayed()
    run.by_providers()
    if not plan.with_report:
        return _gate(run, is_quiet=was_quiet and is_quiet())
    run.encrypted()
    run.sizes()
    run.stages()
    report.write(run.results, run.plan, kind=kind.lower())
    run.say("benchmarks/results/latest.md")
    return 0


_NO = {None, "", "0"}


def _gate(run: Measurement, *, is_quiet: bool) -> int:
    """1 where a figure is below CI's gate; rates count only on a machine without other work."""
    run.say("the gates:" if is_quiet else "the gates, but for rates: the machine has other work:")
    missed = 0
    for each in reached(run.results):
        counts = is_quiet or not each.is_rate
        verdict = "ok" if each.passes_gate else "MISSED" if counts else "not counted"
        missed += verdict == "MISSED"
        sign = "≥" if each.least else "≤"
        print(f"  {each.figure}: {each.value:.2f} ({sign} {each.gate:g}) {verdict}")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
