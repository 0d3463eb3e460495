"""The metrics that a shop could test, from its published marts: rates, weekly units, dispersion."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from pipelines.analysis.experiments.errors import ExperimentError
from pipelines.analysis.experiments.planner import Candidate, Plan, Wish, make_plan
from pipelines.warehouse.published_property import chosen_property

WINDOW = "28d"
MACRO = "purchase"
ENTRY = "sessions"

_KEYS = """
    select key, parent_key, family, status, sessions, parent_sessions,
        window_days / 7 as weeks, greatest(phi, 1) as phi
    from marts.fct_micro_conversion_window
    where property_id = $property_id and window_name = $window and segment_name = 'all'
        and parent_key is not null and key <> $macro
    order by key
"""
_CORE = """
    select step_key, step_number, status, tracking_state, reached, entry_reached,
        window_days / 7 as weeks, greatest(phi, 1) as phi
    from marts.fct_funnel_window
    where property_id = $property_id and window_name = $window and segment_name = 'all'
        and funnel = 'core'
    order by step_number
"""


@dataclass(frozen=True)
class Shop:
    """What one property could test; `left_out` keys have no rate, with why."""

    property_id: str
    candidates: list[Candidate]
    macro: Candidate | None
    left_out: dict[str, str]


def read_shop(connection: duckdb.DuckDBPyConnection, property_id: str | None) -> Shop:
    """Of the last 28 days of the whole shop.

    The macro metric is purchases of all sessions. Raises ExperimentError where there is nothing to
    plan with, and what `chosen_property` raises.
    """
    chosen = chosen_property(connection, property_id)
    asked = {"property_id": chosen, "window": WINDOW, "macro": MACRO}
    keys = connection.execute(_KEYS, asked).fetchall()
    del asked["macro"]
    core = connection.execute(_CORE, asked).fetchall()
    places = {key: number for key, number, *_ in core}
    candidates: list[Candidate] = []
    left_out: dict[str, str] = {}
    for key, parent, family, status, x, n, weeks, phi in keys:
        if status != "measured" or not x:
            left_out[key] = status if status != "measured" else "no_numerator"
            continue
        place = places.get(key, places.get(parent, 0))
        candidates.append(Candidate(key, parent, family, x, n, weeks, phi or 1.0, place))
    macro = next((_macro(row) for row in core if row[0] == MACRO), None)
    if macro is None:
        left_out[MACRO] = next((row[3] for row in core if row[0] == MACRO), "not_tracked")
    if not candidates and macro is None:
        raise ExperimentError(
            f"Property {chosen} has no rate of the last 28 days to plan with: 'sluice status' says "
            "what was published; or give --baseline and --weekly."
        )
    return Shop(chosen, candidates, macro, left_out)


def _macro(
    row: tuple[str, int, str, str, int | None, int | None, float, float],
) -> Candidate | None:
    key, number, _, state, reached, entered, weeks, phi = row
    if state != "tracked" or not reached or not entered or reached > entered:
        return None
    return Candidate(key, ENTRY, "outcome", reached, entered, weeks, phi or 1.0, number)


def planned_metrics(connection: duckdb.DuckDBPyConnection, property_id: str) -> Plan | None:
    """The plan of a property's metrics with the usual wish; None without a rate to plan with."""
    try:
        shop = read_shop(connection, property_id)
    except ExperimentError:
        return None
    return make_plan(shop.candidates, shop.macro, Wish())
