"""A property, and the run that made its version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

PROPERTY_IDS = "select property_id from marts.dim_property order by property_name, property_id"
SHOP = """
    select property_id, property_name, store_name, time_zone, currency, first_date, last_date,
        days_loaded
    from marts.dim_property where property_id = $property
"""
RUN = """
    select run_id, code_version, started_at from ops.runs order by started_at desc limit 1
"""
HELD_BACK = "select reason from ops.held_back where run_id = ? and property_id = ? limit 1"


@dataclass(frozen=True)
class Shop:
    """A property, and the window that the page is about."""

    property_id: str
    property_name: str | None
    store_name: str | None
    time_zone: str | None
    currency: str | None
    first_date: date | None
    last_date: date | None
    days_loaded: int

    @property
    def label(self) -> str:
        """Its name; the number where it has none."""
        return self.property_name or self.store_name or f"Property {self.property_id}"


@dataclass(frozen=True)
class Run:
    """The run that made the version."""

    run_id: str
    code_version: str | None
    started_at: datetime | None
