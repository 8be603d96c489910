"""What the emails of an issue weigh, for each chain of languages that readers have (H4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from newsletter.delivery.planning.editions import preview
from newsletter.delivery.planning.weight import weigh
from newsletter.desk.dashboard import chain_name
from newsletter.desk.preview import PreviewChoice, render_or_explain
from newsletter.digest.content import RenderError
from newsletter.digest.render import size_warnings
from newsletter.editorial.checks import Problem, Severity, weight_problems
from newsletter.editorial.models import Issue

CHAINS = 8
"""For how many chains emails are rendered: those with the most readers."""


@dataclass(frozen=True)
class ChainWeight:
    """The readers of one chain, and bytes per email. `size` is None if no email was rendered."""

    name: str
    readers: int
    size: int | None = None
    problems: tuple[Problem, ...] = ()
    language: str = ""
    subject: str = ""

    @property
    def total(self) -> int:
        return (self.size or 0) * self.readers


def chain_weights(issue: Issue, counts: Counter[tuple[str, ...]]) -> list[ChainWeight]:
    """Return the chains of these readers, the one with the most readers first.

    The emails are those of readers who changed nothing: plain text, for example, weighs less.
    """
    return [
        _weigh(issue, chain, readers)
        if number < CHAINS
        else ChainWeight(chain_name(chain), readers)
        for number, (chain, readers) in enumerate(counts.most_common())
    ]


def without_repetition(weights: list[ChainWeight], known: list[Problem]) -> Iterator[Problem]:
    """Yield the problems that aren't known yet: one of each severity, for the heaviest email."""
    seen = {problem.text for problem in known}
    for weight in sorted(weights, key=lambda weight: weight.size or 0, reverse=True):
        for problem in weight.problems:
            if problem.text not in seen:
                seen.add(problem.text)
                yield problem


def _weigh(issue: Issue, chain: tuple[str, ...], readers: int) -> ChainWeight:
    name = chain_name(chain)
    choice = PreviewChoice(chain, issue.newsletter.content, is_selected=True)
    rendered, _error = render_or_explain(partial(preview, issue), issue.newsletter, choice)
    if rendered is None:
        return ChainWeight(name, readers)  # what is wrong is among the issue's problems
    try:
        size = weigh(rendered).total
    except RenderError as error:
        return ChainWeight(name, readers, problems=(Problem(Severity.BLOCKS, str(error)),))
    warnings = (Problem(Severity.WARNS, text) for text in size_warnings(rendered))
    problems = (*weight_problems(size), *warnings)
    return ChainWeight(name, readers, size, problems, rendered.language, rendered.subject)
