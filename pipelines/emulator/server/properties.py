"""What a store's `property.json` says of the GA4 property it stands for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pipelines.config.timezones import known_time_zones
from pipelines.emulator.server.errors import EmulatorError


@dataclass(frozen=True)
class Property:
    """What `property.json` says; the defaults serve any real export without one."""

    property_id: str = "100000001"
    time_zone: str = "UTC"
    currency_code: str = "USD"
    custom_dimensions: tuple[str, ...] = ()

    @property
    def zone(self) -> ZoneInfo:
        """The property's reporting time zone."""
        return ZoneInfo(self.time_zone)


def custom_column(index: int) -> str:
    """Column of `hits` that holds the property's custom dimension of that position."""
    return f"custom_{index}"


def read_property(path: Path) -> Property:
    """`property.json`, or the defaults when there is none; EmulatorError when it is unreadable."""
    if not path.exists():
        return Property()
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        about = Property(
            property_id=str(content.get("property_id", Property.property_id)),
            time_zone=str(content.get("time_zone", Property.time_zone)),
            currency_code=str(content.get("currency_code", Property.currency_code)),
            custom_dimensions=tuple(str(name) for name in content.get("custom_dimensions", ())),
        )
        if about.time_zone not in known_time_zones():
            raise ValueError(f"'{about.time_zone}' is no IANA time zone")
        if not about.property_id.isdigit():
            raise ValueError(f"property_id {about.property_id!r} is not a number")
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise EmulatorError(
            f"{path} cannot be read ({error}): correct it, or remove it to use the defaults."
        ) from error
    return about
