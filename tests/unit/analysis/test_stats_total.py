"""No table of statistics throws, whatever counts it is fed, and every row comes back."""

from math import inf, nan

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.analysis.stats.anomaly_table import score_days
from pipelines.analysis.stats.benchmarks import score_comparisons
from pipelines.analysis.stats.change_table import score_segments, score_stages
from pipelines.analysis.stats.leak_draws import Draws
from pipelines.analysis.stats.leak_table import score_leaks
from pipelines.analysis.stats.order_values import value_orders
from pipelines.analysis.stats.segment_table import score_segments as score_parts

UGLY = (nan, -1e18, -3.0, -0.5, 0.0, 0.3, 1.0, 2.0, 29.0, 60.0, 3_001.0, 1e12, 1e18)
rows = st.lists(st.tuples(*[st.sampled_from(UGLY)] * 6), min_size=1, max_size=8)
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::RuntimeWarning")]


def frame(values: list[tuple[float, ...]], *names: str) -> pd.DataFrame:
    """One property's rows as steps and segment values of one cell."""
    columns = dict(zip(names, zip(*values, strict=True), strict=False))
    numbers = range(len(values))
    return pd.DataFrame(
        {
            "property_id": "1", "window_name": "28d", "segment_name": "device",
            "segment_value": "mobile", "step_number": numbers, "factor_number": numbers,
            "benchmark_key": [f"b{number}" for number in numbers], "tracking_state": "tracked",
            "window_days": 28, **columns,
        }
    )  # fmt: skip


def parts(values: list[tuple[float, ...]], *names: str) -> pd.DataFrame:
    """The same as segment values of one step."""
    values_by_part = frame(values, *names)
    names_of_parts = [f"part {number}" for number in range(len(values))]
    return values_by_part.assign(step_number=1, segment_value=names_of_parts)


@settings(max_examples=150, deadline=None)
@given(rows)
def test_leaks(values: list[tuple[float, ...]]) -> None:
    worth = ("end_value", "end_value_error")
    counts = frame(values, "numerator", "denominator", "n_eff", "benchmark", *worth)
    scored = score_leaks(counts, draws=Draws(count=50))
    assert len(scored) == len(values)
    known = scored["p_gap"].dropna()
    assert known.between(0, 1).all()


@settings(max_examples=150, deadline=None)
@given(rows)
def test_order_values(values: list[tuple[float, ...]]) -> None:
    money = ("purchase_revenue", "transactions", "shop_revenue", "shop_transactions")
    assert len(value_orders(parts(values, *money, "order_variance"))) == len(values)


@settings(max_examples=150, deadline=None)
@given(rows)
def test_segments_of_a_step(values: list[tuple[float, ...]]) -> None:
    shop = ("shop_numerator", "shop_denominator", "benchmark", "value")
    assert len(score_parts(parts(values, "numerator", "denominator", *shop))) == len(values)


@settings(max_examples=150, deadline=None)
@given(rows)
def test_benchmarks(values: list[tuple[float, ...]]) -> None:
    counts = frame(values, "numerator", "denominator", "phi", "n_eff")
    low = np.linspace(0, 0.99, len(values))
    scored = score_comparisons(counts.assign(benchmark_low=low, benchmark_high=low + 0.01))
    assert len(scored) == len(values)
    is_no_rate = ~(counts["numerator"].between(0, counts["denominator"]))
    assert scored.loc[is_no_rate, ["p_value", "p_below", "q_value"]].isna().all().all()


@settings(max_examples=150, deadline=None)
@given(rows)
def test_changes(values: list[tuple[float, ...]]) -> None:
    assert len(score_stages(frame(values, "factor", "prior_factor"))) == len(values)
    names = ("numerator", "denominator", "prior_numerator", "prior_denominator")
    assert len(score_segments(parts(values, *names))) == len(values)


series = st.lists(
    st.tuples(st.sampled_from(UGLY[:-2]), st.sampled_from(UGLY[:-2])), min_size=70, max_size=90
)


@settings(max_examples=13, deadline=None)
@given(st.tuples(series, series, series, series))
def test_days(shops: tuple[list[tuple[float, float]], ...]) -> None:
    days = pd.concat(
        pd.DataFrame(
            {
                "property_id": str(number), "segment_name": "all", "segment_value": "all",
                "key": "purchase", "date": pd.date_range("2026-01-01", periods=len(values)),
                "numerator": [one for one, _ in values],
                "denominator": [other for _, other in values],
                "is_declared": False, "is_lost": False, "is_flawed": False,
            }
        )
        for number, values in enumerate(shops)
    )  # fmt: skip
    scored = score_days(days, "2026-02-26")
    counts = scored.groupby("property_id").size().to_dict()
    assert counts == {str(number): 3 * (len(values) - 56) for number, values in enumerate(shops)}
    assert not (scored["p_value"] == inf).any()
