"""Which suites guard which gate. A new table is a new slice in its stage's module."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from data_checks.catalog import Catalog
from data_checks.model import Suite
from data_checks.suites import intermediate, marts, raw, staging

SUITES: Mapping[str, Callable[[Catalog], tuple[Suite, ...]]] = {
    "raw": raw.build_suites,
    "staging": staging.build_suites,
    "intermediate": intermediate.build_suites,
    "marts": marts.build_suites,
}
GATES = tuple(SUITES)
