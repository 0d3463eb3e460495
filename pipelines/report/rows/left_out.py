"""Second sources of which the page has numbers, and sluice.yml has no entry any more."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.warehouse.newest_fetches import NEWEST_FETCHES

LEFT_OUT = f"""
    select distinct source from {NEWEST_FETCHES}
    where property_id = $property and is_left_out order by source
"""


@dataclass(frozen=True)
class LeftOut:
    """One of them, by its section of sluice.yml."""

    source: str
