"""What `sluice simulate` wrote beside the events: what really happened, and of which property."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pipelines.emulator.server.errors import EmulatorError


@dataclass(frozen=True)
class SimulatedShop:
    """`truth`: the content of truth.json."""

    truth: dict[str, Any]
    zone: ZoneInfo
    currency: str

    @classmethod
    def read(cls, folder: Path) -> SimulatedShop:
        """The shop of a folder; raises EmulatorError where none was simulated."""
        try:
            truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
            about = json.loads((folder / "property.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise EmulatorError(
                f"{folder} has no truth.json and property.json of a simulated shop, which the "
                "numbers of other sources are made of: make one with 'sluice simulate'."
            ) from error
        return cls(truth, ZoneInfo(about["time_zone"]), about["currency_code"])

    def rows(self, table: str, segment: str | None = None) -> list[dict[str, Any]]:
        """A table of the truth; of one segment where it has several."""
        stored = self.truth[table]
        rows = (dict(zip(stored["columns"], row, strict=True)) for row in stored["rows"])
        return [row for row in rows if segment is None or row["segment_name"] == segment]
