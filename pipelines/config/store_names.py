"""Industries and regions that a shop can be of.

An industry is one that the seeds have benchmarks for; a region is any country, also one of which
nobody published a figure yet.
"""

from __future__ import annotations

import csv
import io
from functools import cache
from typing import Annotated

from babel import Locale
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
    """Countries that the seeds have benchmarks for, as GA4 names them, and `all`; raises
    UnreadableError where these cannot be read.
    """
    return frozenset("|".join(_column("region")).split("|"))


@cache
def _countries() -> frozenset[str]:
    return (
        frozenset(name for code, name in Locale("en").territories.items() if code.isalpha())
        | known_regions()
    )


def _column(name: str) -> frozenset[str]:
    seeds = (DBT_PROJECT_DIR / "seeds" / f"{one}.csv" for one in _SEEDS)
    return frozenset(
        row[name] for path in seeds for row in csv.DictReader(io.StringIO(read_text(path)))
    )


def _industry(name: str) -> str:
    if name != ANY and name not in (known := known_industries()):
        raise ValueError(
            f"no benchmark is of that industry (the nearest is '{nearest(name, known)}'): write "
            f"one of {', '.join(sorted(known))}"
        )
    return name


def _region(name: str) -> str:
    if name not in known_regions() and name not in (countries := _countries()):
        raise ValueError(
            f"no country has that name (the nearest is '{nearest(name, countries)}'): write it "
            f"in English, as GA4 does, or '{ANY}'"
        )
    return name


Industry = Annotated[Text, AfterValidator(_industry)]
Region = Annotated[Text, AfterValidator(_region)]
