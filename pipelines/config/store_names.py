"""Industries and regions that a shop can be of: those that the seeds have benchmarks for."""

from __future__ import annotations

import csv
import io
from functools import cache
from typing import Annotated

from pydantic import AfterValidator

from pipelines.config.field_types import Text
from pipelines.config.folders import DBT_PROJECT_DIR
from pipelines.config.textfile import read_text
from pipelines.wording import nearest

# Of no industry, or of no region, in particular.
ANY = "all"
_SEEDS = ("benchmarks", "benchmark_figures")


@cache
def known_industries() -> frozenset[str]:
    """As `industry` of the seeds has them; raises UnreadableError where these cannot be read."""
    return _column("industry")


@cache
def known_regions() -> frozenset[str]:
    """Countries as GA4 names them; raises UnreadableError where the seeds cannot be read."""
    return frozenset("|".join(_column("region")).split("|"))


def _column(name: str) -> frozenset[str]:
    seeds = (DBT_PROJECT_DIR / "seeds" / f"{one}.csv" for one in _SEEDS)
    return frozenset(
        row[name] for path in seeds for row in csv.DictReader(io.StringIO(read_text(path)))
    )


def _industry(name: str) -> str:
    return _known(name, "industry", known_industries()) if name != ANY else name


def _region(name: str) -> str:
    return _known(name, "region", known_regions()) if name != ANY else name


def _known(name: str, what: str, known: frozenset[str]) -> str:
    if name not in known:
        raise ValueError(
            f"no benchmark is of that {what} (the nearest is '{nearest(name, known)}'): write one "
            f"of {', '.join(sorted(known))}"
        )
    return name


Industry = Annotated[Text, AfterValidator(_industry)]
Region = Annotated[Text, AfterValidator(_region)]
