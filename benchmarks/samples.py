"""What one run gave, and medians of several."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Sample:
    """`cpu` is the sender's (all its processes), in seconds; `memory` the largest process's peak
    in bytes; `size` a message's bytes as the sink counted them."""

    messages: int
    seconds: float
    cpu: float = 0.0
    memory: int = 0
    sink_cpu: float = 0.0
    size: int = 0
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        return self.messages / self.seconds

    @property
    def cpu_per_thousand(self) -> float:
        return self.cpu / self.messages * 1000


class Results:
    """Samples by contender, in the order in which contenders first appeared."""

    def __init__(self) -> None:
        self.samples: dict[str, list[Sample]] = {}
        self.notes: list[str] = []
        self.parts: dict[str, float] = {}

    def add(self, name: str, sample: Sample) -> None:
        self.samples.setdefault(name, []).append(sample)

    def has(self, *names: str) -> bool:
        return all(name in self.samples for name in names)

    def rate(self, name: str) -> float:
        return median(sample.rate for sample in self.samples[name])

    def spread(self, name: str) -> float:
        """Half of (largest - smallest) ÷ median of the rates."""
        rates = [sample.rate for sample in self.samples[name]]
        return (max(rates) - min(rates)) / 2 / median(rates)

    def cpu(self, name: str) -> float:
        """Seconds per 1,000 messages."""
        return median(sample.cpu_per_thousand for sample in self.samples[name])

    def memory(self, name: str) -> int:
        return max(sample.memory for sample in self.samples[name])

    def stages(self, name: str) -> dict[str, tuple[float, float]]:
        """Microseconds a message, wall and CPU, of each stage of the last such run."""
        sample = self.samples[name][-1]
        stages: dict[str, list[float]] = sample.more["stages"]
        scale = 1e6 / sample.messages
        return {stage: (wall * scale, cpu * scale) for stage, (wall, cpu) in stages.items()}
