"""Products against the shop: rates, p, q and shrinkage worked out apart."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipelines.analysis.stats.items import score_items
from pipelines.config.thresholds import item_counts

CHAIN = ["sessions", "product_view", "add_to_cart", "checkout_start", "purchase"]

STEADY = pd.DataFrame(columns=["property_id", "window_name", "step_key", "phi_wide"])


def shop(**counts: list[float | None]) -> pd.DataFrame:
    size = len(counts["items_viewed"])
    return pd.DataFrame(
        {
            "property_id": "1", "window_name": "28d", "item_id": [str(i) for i in range(size)],
            "item_name": "x", "items_checked_out": 0.0, "items_purchased": 0.0, **counts,
        }
    )  # fmt: skip


def test_rates_of_the_reference_case_against_the_shop() -> None:
    """The figures of docs/analytics.md: p .063399, M 162.5032."""
    added, viewed = [60, 18, 5, 12, 2], [800, 400, 150, 120, 60]
    scored = score_items(
        shop(items_viewed=viewed, items_added_to_cart=added), STEADY, CHAIN, item_counts()
    )
    adds = scored[scored["step_key"] == "add_to_cart"]
    assert adds["shop_rate"].tolist() == pytest.approx([97 / 1530] * 5)
    assert adds["outside_rate"].iloc[0] == pytest.approx(37 / 730)
    assert adds["shrunk_rate"].tolist() == pytest.approx(
        [(x + 162.5032 * 0.063399) / (n + 162.5032) for x, n in zip(added, viewed, strict=True)],
        abs=1e-6,
    )
    tests = [
        stats.binomtest(x, n, 97 / 1530, alternative="less").pvalue
        for x, n in zip(added, viewed, strict=True)
    ]
    assert adds["p_value"].tolist() == pytest.approx(tests)
    assert adds["q_value"].tolist() == pytest.approx(stats.false_discovery_control(tests))


def test_what_is_no_rate_has_no_score() -> None:
    """The second item's adds may not be seen, the third was bought without a view."""
    items = shop(items_viewed=[100, 50, 0], items_added_to_cart=[10, None, 3])
    adds = score_items(items, STEADY, CHAIN, item_counts()).query("step_key == 'add_to_cart'")
    assert np.isnan(adds["p_value"]).tolist() == [False, True, True]
    assert adds["shop_rate"].tolist() == pytest.approx([0.13] * 3)


def test_a_step_without_a_tag_and_a_shop_without_items_have_none() -> None:
    items = shop(items_viewed=[10.0], items_added_to_cart=[1.0])
    scored = score_items(items, STEADY, CHAIN, item_counts())
    assert scored.query("step_key == 'purchase'")["p_value"].isna().all()
    nothing = shop(items_viewed=[], items_added_to_cart=[])
    assert score_items(nothing, STEADY, CHAIN, item_counts()).empty


def test_units_that_come_together_tell_less() -> None:
    """phi 2: the score test on half of the units, and as much drawn to the shop as half of them."""
    noise = pd.DataFrame(
        {"property_id": ["1"], "window_name": "28d", "step_key": "add_to_cart", "phi_wide": 2.0}
    )
    added, viewed = [60.0, 18, 5, 12, 2], [800.0, 400, 150, 120, 60]
    items = shop(items_viewed=viewed, items_added_to_cart=added)
    adds = score_items(items, noise, CHAIN, item_counts()).query("step_key == 'add_to_cart'")
    rate = 97 / 1530
    z = (18 / 400 - rate) / (rate * (1 - rate) / 200) ** 0.5
    assert adds["p_value"].iloc[1] == pytest.approx(stats.norm.cdf(z))
    exact = stats.binomtest(2, 60, rate, alternative="less").pvalue
    assert adds["p_value"].iloc[4] >= exact
    halves = shop(items_viewed=[n / 2 for n in viewed], items_added_to_cart=[x / 2 for x in added])
    half = score_items(halves, STEADY, CHAIN, item_counts()).query("step_key == 'add_to_cart'")
    assert adds["shrunk_rate"].tolist() == pytest.approx(half["shrunk_rate"].tolist())
    assert adds["shop_rate"].tolist() == pytest.approx([rate] * 5)
