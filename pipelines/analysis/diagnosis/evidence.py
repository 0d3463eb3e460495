"""A level in words, with the numbers it rests on. Directional evidence is called so, never more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.analysis.diagnosis.grammar import UNKNOWN
from pipelines.wording import words

_COMPARED = {
    "benchmark_below": "below the benchmark of {low} to {high}",
    "directional_strong": "leaning below the benchmark of {low} to {high} (directional, strong)",
    "directional_moderate": "leaning below the benchmark of {low} to {high} "
    "(directional, moderate)",
    "benchmark_above": "above the benchmark of {low} to {high}",
    "benchmark_fine": "not below the benchmark of {low} to {high}",
    "own_below": "below the lower quarter of the shop's own weeks before ({low})",
    "own_above": "above the upper quarter of the shop's own weeks before ({high})",
    "others_below": "below the rest of the shop ({low})",
    "others_usual": "not below the rest of the shop ({low})",
    "own_usual": "as in the shop's own weeks before ({low} to {high})",
}
_STATES = {
    "tracked": "{name} is tracked",
    "not_tracked": "{name} is not tracked",
    "tracking_lost": "the tracking of {name} was lost",
}


def sentence(row: Mapping[str, Any]) -> str:
    """One metric: what was counted, of how many, and against what. No full stop.

    `row`: a row of `int_metrics__levelled`; rates 0-1, dwell in seconds.
    """
    if row["level"] == UNKNOWN:
        return f"{row['metric']}{_where(row)} is not known ({words(row['reason'])})"
    if row["family"] == "tracking":
        named = row["detail"] if isinstance(row["detail"], str) else row["name"]
        return _STATES[row["reason"]].format(name=words(named))
    if row["family"] == "carts":
        return (
            f"{row['numerator']:,.0f} of {row['denominator']:,.0f} carts ended without an order"
            f"{_where(row)}"
        )
    show = _seconds if row["family"] == "dwell" else _percent
    compared = _COMPARED[row["reason"]].format(
        low=show(row["comparison_low"]), high=show(row["comparison_high"])
    )
    return f"{_counted(row)}{_where(row)}, {compared}"


def _counted(row: Mapping[str, Any]) -> str:
    above, below = f"{row['numerator']:,.0f}", f"{row['denominator']:,.0f}"
    value = row["value"]
    if row["family"] == "dwell":
        return f"product pages were looked at for {_seconds(value)} a view ({below} views)"
    if row["family"] == "bounce":
        return f"product pages bounced {_percent(value)} of their sessions ({below} views)"
    base = "sessions"
    if row["denominator_key"] != "sessions":
        base += f" with {words(row['denominator_key'])}"
    return f"{words(row['numerator_key'])} in {above} of {below} {base} ({_percent(value)})"


def _where(row: Mapping[str, Any]) -> str:
    """Only a part of the shop needs to be named."""
    return "" if row["segment_name"] == "all" else f" on {row['segment_value']}"


def _percent(rate: float) -> str:
    return f"{rate:.1%}".replace("%", " %")


def _seconds(value: float) -> str:
    return f"{value:,.0f} s"
