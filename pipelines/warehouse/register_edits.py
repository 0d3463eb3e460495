"""What was changed of an experiment after its start: a verdict is of what was planned before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from pipelines.analysis.experiments.register import Kind, State

# Column of `ops.changes` → its name in experiments.yml.
_FIELDS = {
    "property_id": "property",
    "description": "hypothesis",
    "key": "key",
    "stage": "stage",
    "page": "page",
    "device": "device",
    "elements": "elements",
    "start_date": "start",
    "end_date": "end",
    "variants": "variants",
    "primary_metric": "primary_metric",
    "guardrail": "guardrail",
    "smallest_effect": "smallest_effect",
    "exposure": "exposure",
    "overlaps_with": "overlaps_with",
}
_LISTS = {"elements", "overlaps_with"}
# An end may be left out until it is known, and what comes to overlap is told by the verdict.
_MAY_BE_ADDED = {"end_date", "overlaps_with"}


def edits_of(
    before: Mapping[str, Any] | None, now: Mapping[str, Any], today: date
) -> list[dict[str, Any]]:
    """Rows of `ops.experiment_edits`; both sides are rows of `ops.changes`.

    None of a change of the site, and of what had not begun when it was seen last.
    """
    if before is None or before["state"] == State.PLANNED:
        return []
    if not before["kind"] == now["kind"] == Kind.EXPERIMENT:
        return []
    edited = [
        (name, old, _text(column, now[column]))
        for column, name in _FIELDS.items()
        if (old := _text(column, before[column])) or column not in _MAY_BE_ADDED
    ]
    if State.WITHDRAWN in (before["state"], now["state"]):
        edited.append(("state", before["state"], now["state"]))
    return [
        {
            "property_id": now["property_id"],
            "change_id": now["change_id"],
            "noticed_on": today,
            "field": name,
            "old": old,
            "new": new,
        }
        for name, old, new in edited
        if old != new
    ]


def _text(column: str, value: Any) -> str | None:
    """A cell as people write it: lists with commas, shares with their names; None is nothing."""
    if value is None:
        return None
    if column in _LISTS:
        return ", ".join(json.loads(value)) or None
    if column == "variants":
        return ", ".join(f"{name} {share:.4g}" for name, share in json.loads(value).items())
    if column == "exposure":
        exposure = json.loads(value)
        values = ", ".join(exposure["values"].values())
        return " ".join(filter(None, (exposure["event"], exposure["parameter"], values))) + (
            f" per {exposure['per']}"
        )
    return str(value)
