"""A property, and the run that made its version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

PROPERTY_IDS = "select property_id from marts.dim_property order by property_name, property_id"
SHOP = """
    select property_id, property_name, store_name, last_date
    from marts.dim_property where property_id = $property
"""
NEWEST_RUN = "(select run_id from ops.runs order by started_at desc limit 1)"
HELD_BACK = f"""
    select reason from ops.held_back where run_id = {NEWEST_RUN} and property_id = $property limit 1
"""


@dataclass(frozen=True)
class Shop:
    """A property, and its newest day."""

    property_id: str
    property_name: str | None
    store_name: str | None
    last_date: date | None

    @property
    def label(self) -> str:
        """Its name; the number where it has none."""
        return self.property_name or self.store_name or f"Property {self.property_id}"
