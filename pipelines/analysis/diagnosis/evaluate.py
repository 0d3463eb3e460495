"""Which rules hold where: the playbook over a frame of metric levels.

One row of the frame is one metric of one part of the shop in one window; see
`int_metrics__levelled`. Conditions are tried on all parts at once.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from pipelines.analysis.diagnosis.evidence import sentence
from pipelines.analysis.diagnosis.grammar import UNKNOWN, Clause
from pipelines.analysis.diagnosis.playbook import Rule
from pipelines.analysis.diagnosis.strength import weigh

Cells: TypeAlias = "pd.Index[Any]"
"""An index with the levels of `CELL`."""

WINDOW = ["property_id", "window_name"]
CELL = [*WINDOW, "segment_name", "segment_value"]
_DATES = ["window_start", "window_end"]
_MATURITIES = ("final", "settled", "provisional")
_NUMBERS = (
    "metric", "segment_name", "segment_value", "level", "reason", "value", "numerator",
    "denominator", "comparison_low", "comparison_high", "detail",
)  # fmt: skip
# A metric without a row was never counted.
_NO_ROW = {
    "level": UNKNOWN,
    "reason": "not_measured",
    "is_complete": False,
    "maturity": _MATURITIES[-1],
}
SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in CELL),
        *((name, pa.date32()) for name in _DATES),
        *((name, pa.string()) for name in ("rule", "evidence", "evidence_numbers")),
        ("signal_count", pa.int64()),
        ("signal_distance", pa.float64()),
        ("is_complete", pa.bool_()),
        ("maturity", pa.string()),
    ]
)


def diagnose(levels: pd.DataFrame, rules: Sequence[Rule]) -> pa.Table:
    """One row per property, window, part of the shop and rule that fired there (`SCHEMA`).

    Reads `CELL`, the window's dates, metric, level, reason, value, numerator, denominator, their
    keys, comparison_low, comparison_high, detail, is_complete and maturity. A metric that has no
    row is unknown. `evidence` is one sentence, `evidence_numbers` a JSON list of what it rests on;
    signal_count and signal_distance say how much that is.
    """
    wide = levels.pivot(index=CELL, columns="metric", values="level")
    found = [_evidence(rule, cells) for rule in rules if len(cells := _fired(rule, wide))]
    if not found:
        return SCHEMA.empty_table()
    windows = levels[[*WINDOW, *_DATES]].drop_duplicates(WINDOW)
    asked = pd.concat(found).merge(windows, on=WINDOW)
    asked = asked.merge(levels.drop(columns=_DATES), on=[*CELL, "metric"], how="left")
    asked = asked.fillna(_NO_ROW)
    # Few rows, those of findings only: grouped as dicts, which takes a fiftieth of pandas' time.
    listed = [dict(zip(asked.columns, row, strict=True)) for row in asked.itertuples(index=False)]
    finding = itemgetter("rule", *_FINDING)
    rows = [_finding(list(own)) for _, own in groupby(sorted(listed, key=finding), key=finding)]
    return pa.Table.from_pylist(rows, SCHEMA)


# The part of the shop that a finding is about; its evidence may be of others.
_FINDING = ["finding_property", "finding_window", "finding_segment", "finding_value"]


def _fired(rule: Rule, wide: pd.DataFrame) -> Cells:
    """The parts of the shop where all clauses of the rule hold."""
    cells: Cells = wide.index
    if rule.segment is not None:
        name, value = (cells.get_level_values(column) for column in CELL[2:])
        cells = cells[(name == rule.segment[0]) & (value == rule.segment[1])]
    holds = np.ones(len(cells), dtype=np.bool_)
    for clause in rule.clauses:
        holds &= _holds(clause, wide, cells)
    return cells[holds]


def _holds(clause: Clause, wide: pd.DataFrame, cells: Cells) -> npt.NDArray[np.bool_]:
    names = wide.reindex(columns=clause.metrics)
    levels = names.reindex(_looked_at(clause, cells)).fillna(UNKNOWN).to_numpy()
    on_level: npt.NDArray[np.bool_] = (levels == clause.level).any(axis=1)
    if not clause.is_negated:
        return on_level
    is_known: npt.NDArray[np.bool_] = (levels != UNKNOWN).any(axis=1)
    return is_known & ~on_level


def _looked_at(clause: Clause, cells: Cells) -> Cells:
    """The cells themselves, or the clause's own part of the same property and window."""
    if clause.segment is None:
        return cells
    frame = cells.to_frame(index=False)
    frame["segment_name"], frame["segment_value"] = clause.segment
    return pd.MultiIndex.from_frame(frame[CELL])


def _evidence(rule: Rule, cells: Cells) -> pd.DataFrame:
    """The metrics that a finding rests on: one row per finding, clause and name."""
    parts = []
    for clause in rule.clauses:
        part = _looked_at(clause, cells).to_frame(index=False)
        part[_FINDING] = cells.to_frame(index=False).to_numpy()
        for metric in clause.metrics:
            parts.append(
                part.assign(
                    metric=metric,
                    rule=rule.name,
                    wanted=clause.level,
                    is_negated=clause.is_negated,
                )
            )
    return pd.concat(parts)


def _finding(asked: list[dict[str, Any]]) -> dict[str, object]:
    """The row of one rule that fired: evidence is what is on the level, or known not to be."""
    kept = {
        itemgetter(*CELL, "metric")(row): row
        for row in asked
        if (row["level"] != UNKNOWN if row["is_negated"] else row["level"] == row["wanted"])
    }
    rows, first = list(kept.values()), asked[0]
    numbers = [{name: _plain(row[name]) for name in _NUMBERS} for row in rows]
    strength = weigh(rows)
    return {
        **dict(zip(CELL, itemgetter(*_FINDING)(first), strict=True)),
        **{name: pd.Timestamp(first[name]).date() for name in _DATES},
        "rule": first["rule"],
        "evidence": "; ".join(sentence(row) for row in rows) + ".",
        "evidence_numbers": json.dumps(numbers),
        "signal_count": strength.signals,
        "signal_distance": strength.distance,
        "is_complete": all(bool(row["is_complete"]) for row in rows),
        "maturity": max((str(row["maturity"]) for row in rows), key=_MATURITIES.index),
    }


def _plain(value: object) -> object:
    """A missing value as JSON's null."""
    return None if value is None or value is pd.NA or value != value else value  # noqa: PLR0124
