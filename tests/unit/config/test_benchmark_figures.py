"""The published figures in the seed: sourced, of what we count, and none that is only repeated."""

from pathlib import Path

import pytest

from pipelines.config.tracking_plan import SEEDS_DIR, load_plan
from pipelines.config.tracking_plan.seed_files import read_seed
from pipelines.errors import SeedError

FIGURES = read_seed(SEEDS_DIR, "benchmark_figures")
RANGES = read_seed(SEEDS_DIR, "benchmarks")
# What is compared: benchmark → numerator and denominator, both in sessions.
RATES = {
    "conversion_rate": ("purchase", "sessions"),
    "add_to_cart_per_session": ("add_to_cart", "sessions"),
    "checkout_to_purchase_rate": ("purchase", "checkout_start"),
    "cart_to_purchase_rate": ("purchase", "add_to_cart"),
}
# Quoted often, and no source of them can be read, or not this one.
FOLKLORE_PUBLISHERS = (
    "barilliance", "sumo", "optimonk", "metricuno", "bestforecommerce", "conversionbench",
    "kissmetrics", "roi swift", "clarity", "yaguara", "community",
)  # fmt: skip
FOLKLORE_VALUES = {
    "conversion_rate": {0.0133, 0.0463, 0.0277},
    "cart_to_purchase_rate": {0.1435, 0.1926, 0.2693},
    "checkout_to_purchase_rate": {0.3, 0.4},
}


def test_both_sides_are_those_of_the_compared_rate() -> None:
    for row in FIGURES:
        assert (row["numerator"], row["denominator"]) == RATES[row["benchmark_key"]]
        assert row["unit"] == "sessions"
    for row in RANGES:
        if row["benchmark_key"] in RATES:
            assert (row["numerator"], row["denominator"]) == RATES[row["benchmark_key"]]
    # Of users, of views and of carts that are no sessions there is none.
    for word in ("user", "view", "popup", "visitors"):
        assert not [row for row in FIGURES if word in row["definition"]]


def test_every_figure_can_be_read_somewhere() -> None:
    for row in FIGURES:
        assert row["publisher"] and row["sample"] and row["period"]
        assert row["link"].startswith("http")
        assert "2019-01-01" <= row["period_end"] <= row["read_on"]
        assert row["read_from"] == "primary" or row["read_from"].startswith("as reported by ")
        assert 0 < float(row["value"]) < 1


def test_what_is_only_repeated_is_left_out() -> None:
    for row in FIGURES:
        said = " ".join((row["publisher"], row["link"], row["read_from"])).lower()
        assert not [name for name in FOLKLORE_PUBLISHERS if name in said]
        assert float(row["value"]) not in FOLKLORE_VALUES.get(row["benchmark_key"], set())


def test_a_published_figure_as_it_stands_there() -> None:
    """Littledata of 421 shops in the summer of 2026; Bold of 3m checkouts on phones in 2021."""
    small = {
        row["statistic"]: float(row["value"])
        for row in FIGURES
        if row["benchmark_key"] == "conversion_rate"
        and (row["device"], row["sample"]) == ("all", "421 small Shopify shops")
    }
    assert small == {"bottom_20": 0.005, "median": 0.014, "top_20": 0.026, "top_10": 0.034}
    phones = {
        row["statistic"]: float(row["value"])
        for row in FIGURES
        if (row["publisher"], row["device"]) == ("Bold Commerce", "mobile")
    }
    assert phones == {"mean": 0.424, "mean_of_top_25": 0.653}


def test_ranges_say_whose_they_are() -> None:
    for row in RANGES:
        assert row["publisher"] and row["sample"] and row["period"] and row["link"]
        assert "Article" not in row["source"]


def test_a_shop_s_own_figure_may_not_be_of_something_else(tmp_path: Path) -> None:
    shop = tmp_path / "tracking_plan.yml"
    own = "publisher: Shopify, period: October 2026, period_end: 2026-10-31"
    shop.write_text(
        f"figures:\n"
        f"  - {{benchmark_key: conversion_rate, statistic: bottom_25, value: 0.008, {own}}}\n"
        f"  - {{benchmark_key: chat_rate, statistic: median, value: 0.02, {own}, "
        f"numerator: purchase, denominator: product_view}}\n",
        encoding="utf-8",
    )
    first, second = load_plan(shop=shop).shop.figures
    assert (first["numerator"], first["denominator"]) == ("purchase", "sessions")
    assert (first["sample"], first["read_from"]) == ("not stated", "primary")
    assert second["definition"] == "purchase / product_view"
    shop.write_text(
        f"figures: [{{benchmark_key: chat_rate, statistic: median, value: 0.02, {own}}}]",
        encoding="utf-8",
    )
    with pytest.raises(SeedError, match="The numerator of the figure 'chat_rate, all, all, all"):
        load_plan(shop=shop)
