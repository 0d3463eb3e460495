"""A figure of the study with its Monte Carlo error and its target, and the table of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SEED = 20_260_301


def generator(*stream: int) -> np.random.Generator:
    """The random numbers of one part of the study, independent of all other parts."""
    return np.random.default_rng([SEED, *stream])


@dataclass(frozen=True)
class Figure:
    """A share found in `runs` independent runs; the target is a range, or none."""

    what: str
    share: float
    runs: int
    low: float | None = None
    high: float | None = None

    @property
    def error(self) -> float:
        """Half the width of the 95 % interval of the share."""
        return float(1.96 * np.sqrt(self.share * (1 - self.share) / self.runs))

    @property
    def verdict(self) -> str:
        """Whether the share lies in its target: yes, within error, no; nothing without a target."""
        if self.low is None and self.high is None:
            return ""
        low, high = self.low or 0.0, 1.0 if self.high is None else self.high
        if low <= self.share <= high:
            return "yes"
        return "within error" if low - self.error <= self.share <= high + self.error else "no"

    def row(self) -> str:
        """A line of the markdown table."""
        return (
            f"| {self.what} | {self.share:.2%} | ± {self.error:.2%} | {self.runs:,} "
            f"| {self._target()} | {self.verdict} |"
        )

    def _target(self) -> str:
        if self.low is not None and self.high is not None:
            return f"{self.low:.1%} to {self.high:.1%}"
        if self.low is not None:
            return f"≥ {self.low:.1%}"
        return f"≤ {self.high:.1%}" if self.high is not None else "none"


def share_of(
    what: str, is_so: npt.NDArray[np.bool_], low: float | None = None, high: float | None = None
) -> Figure:
    """The figure of how often something was so, one entry per run."""
    return Figure(what, float(is_so.mean()), is_so.size, low, high)


@dataclass(frozen=True)
class Section:
    """A part of the study: what was simulated, in words, and its figures."""

    title: str
    text: str
    figures: list[Figure]

    def markdown(self) -> str:
        """Heading, words and table."""
        head = "| figure | found | 95 % error | runs | target | met |\n|---|---|---|---|---|---|"
        return "\n".join(
            [
                f"## {self.title}",
                "",
                self.text.strip(),
                "",
                head,
                *(one.row() for one in self.figures),
                "",
            ]
        )
