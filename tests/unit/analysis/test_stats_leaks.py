"""Leaks: the worked figures of docs/analytics.md, and sums that hold for any shop."""

from dataclasses import fields, replace
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pipelines.analysis.stats.attribution import attribute, log_mean, round_to_total
from pipelines.analysis.stats.leak_draws import simulate
from pipelines.analysis.stats.leak_table import GRAIN, score_leaks
from pipelines.analysis.stats.leaks import Chains, allocated, joint_gain, stand_alone
from pipelines.analysis.stats.order_values import value_orders
from pipelines.analysis.stats.segment_table import score_segments
from pipelines.analysis.stats.segments import Parts, balance

NAN = float("nan")
CERTAIN = np.zeros(1)


def chains(
    successes: list[float], trials: list[float], benchmark: list[float], value: float = 60
) -> Chains:
    n = np.array([trials], dtype=float)
    return Chains(
        np.array([successes], dtype=float), n, n, np.array([benchmark]), np.array([value]), CERTAIN
    )


# The check of section 5: 10,000 views, 300 adds, 160 checkouts, 75 orders of 60.
SHOP = chains([300, 160, 75], [10_000, 300, 160], [0.05, 0.50, 0.50])


def test_stand_alone_of_the_check() -> None:
    # 200 more adds of which a quarter buys, at 60; carts are fine; 5 more orders at 60.
    assert stand_alone(SHOP)[0] == pytest.approx([3000, 0, 300])


def test_draws_of_the_check() -> None:
    # The printed bounds are themselves one seed's; their own error is about 6.
    found = simulate(SHOP)
    assert found.p05[0, 0] == pytest.approx(2374, abs=18)
    assert found.p95[0, 0] == pytest.approx(3663, abs=18)
    assert found.p_gap[0, 0] == 1
    assert found.p_biggest[0, 0] > 0.999
    assert found.rank[0].tolist() == [1, 3, 2]
    exact = stats.beta.cdf(0.5, [160.5, 75.5], [140.5, 85.5])
    assert found.p_gap[0, 1:] == pytest.approx(exact, abs=0.01)


def test_draws_do_not_depend_on_the_cells_beside() -> None:
    other = chains([900, 500, 100], [9000, 900, 500], [0.05, 0.50, 0.50])
    both = Chains(
        *(
            np.concatenate([getattr(other, name), getattr(SHOP, name)])
            for name in (field.name for field in fields(Chains))
        )
    )
    assert np.array_equal(simulate(both).p50[1], simulate(SHOP).p50[0])


def test_fewer_effective_trials_widen_the_draws() -> None:
    wide = simulate(replace(SHOP, n_eff=SHOP.n_eff / 4))
    plain = simulate(SHOP)
    ratio = (wide.p95 - wide.p05)[0, 0] / (plain.p95 - plain.p05)[0, 0]
    assert ratio == pytest.approx(2, abs=0.15)


def test_an_order_value_is_drawn_with_its_error() -> None:
    """Where the rates are certain the worth varies as the order value does, Gamma with 12 of 60."""
    sure = replace(SHOP, n_eff=SHOP.n_eff * 1e9)
    found = simulate(replace(sure, order_value_error=np.array([12.0])))
    gamma = stats.gamma(25, scale=1 / 25).ppf([0.05, 0.5, 0.95])
    worth = [found.p05[0, 0], found.p50[0, 0], found.p95[0, 0]]
    assert worth == pytest.approx(3000 * gamma, rel=0.01)
    # The rates are drawn as ever, and one order value is that of all steps.
    plain, drawn = simulate(SHOP), simulate(replace(SHOP, order_value_error=np.array([12.0])))
    assert np.array_equal(plain.p_gap, drawn.p_gap)
    assert np.array_equal(plain.p_biggest, drawn.p_biggest)
    assert drawn.p05[0, 0] < plain.p05[0, 0] < plain.p95[0, 0] < drawn.p95[0, 0]


def orders(*segments: tuple[str, float, float], variance: float) -> pd.DataFrame:
    """Rows of a device each (name, revenue, orders), of a shop of 100 orders of 60."""
    frame = pd.DataFrame(segments, columns=["segment_value", "purchase_revenue", "transactions"])
    return frame.assign(
        property_id="1", window_name="28d", segment_name="device", shop_revenue=6000.0,
        shop_transactions=100.0, order_variance=variance,
    )  # fmt: skip


def test_an_order_value_of_few_orders_is_drawn_to_the_shops() -> None:
    """S = 90 x 4^2 + 10 x 36^2 = 14,400; tau^2 = (14,400 - 900) / (100 - 82) = 750; M = 900 / 750.
    Beside its own 10 orders mobile has 1.2 of the shop's.
    """
    rows = orders(("desktop", 5760, 90), ("mobile", 240, 10), ("tablet", 0, 0), variance=900)
    desktop, mobile, tablet = value_orders(rows).itertuples()
    assert mobile.order_value == pytest.approx((240 + 1.2 * 60) / 11.2)
    assert desktop.order_value == pytest.approx((5760 + 1.2 * 60) / 91.2)
    assert tablet.order_value == 60
    # Its own error, that of the shop's value, and that of M from two segments: 2 / 1 x (24 - 60)^2.
    squared = 900 / 11.2 + (1.2 / 11.2) ** 2 * (9 + 2 * 36**2)
    assert mobile.order_value_error == pytest.approx(squared**0.5)
    # Nothing of its own: what segments differ by, and the shop's own error.
    assert tablet.order_value_error == pytest.approx((750 + 9) ** 0.5)


def test_an_order_value_is_as_far_off_as_its_error_says() -> None:
    """2,000 shops with orders of 60, a standard deviation of 36, and 12 between segments."""
    rng = np.random.default_rng(14)
    counts = np.array([5, 20, 80, 300])
    truth = rng.normal(60, 12, (2000, 4)).clip(20)
    told = truth + rng.normal(0, 36 / np.sqrt(counts), truth.shape)
    rows = pd.DataFrame(
        {
            "property_id": np.repeat(np.arange(2000), 4), "window_name": "28d",
            "segment_name": "channel", "segment_value": np.tile(counts, 2000),
            "purchase_revenue": (told * counts).ravel(), "transactions": np.tile(counts, 2000),
            "shop_revenue": np.repeat(told @ counts, 4), "shop_transactions": counts.sum(),
            "order_variance": 36.0**2,
        }
    )  # fmt: skip
    found = value_orders(rows)
    off = found["order_value"] - truth.ravel()
    is_few = rows["transactions"] <= 20
    assert (off.abs() < 1.645 * found["order_value_error"]).mean() == pytest.approx(0.88, abs=0.02)
    assert (off[is_few] ** 2).mean() < 2 / 3 * ((told - truth).ravel()[is_few] ** 2).mean()


def test_order_values_that_differ_by_chance_are_the_shops() -> None:
    parts = (("desktop", 5400, 90), ("mobile", 600, 10))
    alike = value_orders(orders(*parts, variance=900))
    assert alike["order_value"].tolist() == [60, 60]
    assert alike["order_value_error"].tolist() == [3, 3]
    shop = value_orders(orders(("all", 6000, 100), variance=900))
    assert shop[["order_value", "order_value_error"]].to_numpy().tolist() == [[60, 3]]
    free = orders(("mobile", 0, 10), variance=0).assign(shop_revenue=0.0)
    assert value_orders(free)[["order_value", "order_value_error"]].isna().all().all()
    # Where nobody knows how orders vary they are taken as they are.
    unknown = value_orders(orders(("desktop", 5760, 90), ("mobile", 240, 10), variance=NAN))
    assert unknown["order_value"].tolist() == [64, 24]
    assert unknown["order_value_error"].tolist() == [0, 0]


def test_steps_without_benchmark_or_place_or_visitors() -> None:
    # No benchmark for the first, no second step, and nobody came to the last.
    shop = chains([5000, NAN, 0, 0], [10_000, NAN, 5000, 0], [NAN, NAN, 0.05, 0.50])
    found = simulate(shop)
    assert np.isnan(found.p50[0, [0, 1, 3]]).all()
    assert np.isnan(found.p_gap[0, [0, 1, 3]]).all()
    # 250 adds of which, for want of any, the floor's half is taken to buy.
    assert stand_alone(shop)[0, 2] == pytest.approx(250 * 0.5 * 60)
    parts = allocated(shop, np.array([10_000.0]))
    assert parts[0, 2] == pytest.approx(7500)
    assert joint_gain(shop, np.array([10_000.0])) == pytest.approx([7500])


def test_a_rate_above_one_hundred_per_cent_is_kept() -> None:
    shop = chains([300, 330, 75], [10_000, 300, 330], [0.05, 0.50, 0.50])
    found = simulate(shop)
    assert found.p_gap[0, 1] == 0
    assert stand_alone(shop)[0, 0] == pytest.approx(200 * 75 / 300 * 60)


def test_allocated_of_the_check() -> None:
    # Rates 3, 52 and 48 % of 10,000: lifted together 3,307.20.
    shop = chains([300, 156, 74.88], [10_000, 300, 156], [0.05, 0.50, 0.50])
    visits = np.array([10_000.0])
    assert allocated(shop, visits)[0] == pytest.approx([3062.47, 0, 244.73], abs=0.005)
    assert joint_gain(shop, visits) == pytest.approx([3307.20], abs=1e-9)


def test_log_mean() -> None:
    found = log_mean(np.array([2.0, 3.0, 0.0, 1.0]), np.array([1.0, 3.0, 4.0, 1 + 1e-9]))
    assert found == pytest.approx([1 / np.log(2), 3, 0, 1 + 5e-10], rel=1e-14)


def test_a_rate_of_zero_is_shared_by_shapley() -> None:
    # Averaged by hand over the 3! orders in which the factors may change.
    before, after = [100.0, 0.0, 0.4], [90.0, 0.1, 0.5]
    by_hand = np.zeros(3)
    for order in permutations(range(3)):
        now = list(before)
        for factor in order:
            was = np.prod(now)
            now[factor] = after[factor]
            by_hand[factor] += (np.prod(now) - was) / 6
    assert attribute(np.array([before]), np.array([after]))[0] == pytest.approx(by_hand)


def test_largest_remainder_by_hand() -> None:
    # 0.333 three times is 0.999, rounded 1.00: one cent is missing, the first gets it.
    thirds = round_to_total(np.array([[0.333, 0.333, 0.333, NAN]]), np.array([0.999]))
    assert thirds[0, :3].tolist() == [0.34, 0.33, 0.33]
    # -0.005 and -0.004: floors of -1 and -1 cent for a total of -0.9: the smaller loss is spared.
    losses = round_to_total(np.array([[-0.005, -0.004]]), np.array([-0.009]))
    assert losses[0].tolist() == [-0.01, 0.0]


rates = st.one_of(st.just(0.0), st.floats(0.0001, 1.0))
steps = st.integers(1, 5).flatmap(
    lambda count: st.lists(st.tuples(rates, st.floats(0.01, 0.9)), min_size=count, max_size=count)
)


@given(steps=steps, visits=st.integers(1, 1_000_000), value=st.floats(0.01, 5_000))
def test_allocated_leaks_add_up_to_the_cent(
    steps: list[tuple[float, float]], visits: int, value: float
) -> None:
    rate, floor = (np.array([column], dtype=float) for column in zip(*steps, strict=True))
    trials = np.full(rate.shape, float(visits))
    shop = Chains(rate * visits, trials, trials, floor, np.array([value]), CERTAIN)
    n = np.array([float(visits)])
    parts, joint = allocated(shop, n), joint_gain(shop, n)
    # Of the size of V AOV, for the sum is a difference of products of that size.
    assert parts.sum() == pytest.approx(joint[0], rel=1e-9, abs=1e-9 * visits * value)
    assert (parts >= -1e-9 * visits * value).all()
    # By the shop's own division: a rate times its visits, divided by them, may be less than it was.
    assert (parts[shop.rates >= floor] == 0).all()
    assert parts[rate >= floor] == pytest.approx(0, abs=1e-9 * visits * value)
    cents = np.rint(round_to_total(parts, joint) * 100)
    assert cents.sum() == np.rint(joint[0] * 100)
    assert (np.abs(cents / 100 - parts) <= 0.01 + 1e-9 * np.abs(parts)).all()


segment = st.tuples(st.integers(0, 50_000), st.floats(0, 1))


@given(
    segments=st.lists(segment, min_size=1, max_size=8),
    missing=st.integers(0, 40),
    floor=st.floats(0.01, 0.9),
    value=st.floats(0.01, 500),
)
def test_segments_reconcile_with_the_shop(
    segments: list[tuple[int, float]], missing: int, floor: float, value: float
) -> None:
    trials = np.array([[float(n) for n, _ in segments]])
    successes = np.array([[float(round(n * share)) for n, share in segments]])
    shop_trials, shop_successes = trials.sum() + missing, successes.sum() + missing // 2
    found = balance(
        Parts(successes, trials, np.array([shop_successes]), np.array([shop_trials])),
        np.array([floor]),
        np.array([value]),
    )
    assert np.array_equal(found.signed, found.shortfall - found.surplus)
    cents = np.rint(found.signed * 100).sum() + np.rint(found.rest[0] * 100)
    assert cents == np.rint(found.total[0] * 100)
    assert found.total[0] == pytest.approx(
        (shop_trials * floor - shop_successes) * value, abs=0.0051, rel=1e-12
    )


def test_segments_by_hand() -> None:
    # Floor 5 %, 10 per add: mobile is 20 adds short, desktop 8 over; 2 sessions belong to neither.
    parts = Parts(
        np.array([[30.0, 33.0, NAN]]), np.array([[1000.0, 500.0, NAN]]),
        np.array([64.0]), np.array([1502.0]),
    )  # fmt: skip
    found = balance(parts, np.array([0.05]), np.array([10.0]))
    assert found.signed[0, :2].tolist() == [200, -80]
    assert found.shortfall[0, :2].tolist() == [200, 0]
    assert found.surplus[0, :2].tolist() == [0, 80]
    assert found.rest.tolist() == [-9]
    assert found.total.tolist() == [111]


def leak_rows() -> pd.DataFrame:
    columns = ["step_number", "numerator", "denominator", "benchmark", "end_value"]
    shop = [
        (4, 75, 156, 0.50, 60.0),
        (2, 300, 10_000, 0.05, 60.0),
        (3, 156, 300, 0.50, 60.0),
        (1, 10_000, 20_000, None, 60.0),
    ]
    yen = [(2, 100, 1000, 0.12, 5000.0), (4, 30, 100, 0.50, 5000.0)]
    frame = pd.DataFrame([*shop, *yen], columns=columns)
    cells = ["1"] * 4 + ["2"] * 2
    return frame.assign(
        property_id=cells,
        window_name="28d",
        segment_name="all",
        segment_value="all",
    )


def test_score_leaks_of_a_long_frame() -> None:
    scored = score_leaks(leak_rows())
    assert scored[GRAIN].equals(leak_rows()[GRAIN])
    shop, yen = scored.iloc[:4], scored.iloc[4:]
    # Half of 20,000 visits see a product, so the figures are those of the check, to its rounding.
    assert shop["opportunity"].iloc[[1, 2, 0]].tolist() == pytest.approx([3000, 0, 180])
    assert shop["leak_rank"].iloc[:3].tolist() == [2, 1, 3]
    assert shop.iloc[3].drop(GRAIN)[["opportunity", "allocated", "p_gap"]].isna().all()
    joint = 600_000 * (0.05 * 0.52 * 0.5 - 0.03 * 0.52 * 75 / 156)
    assert np.rint(shop["allocated"].sum() * 100) == np.rint(joint * 100)
    assert shop["joint_gain"].tolist() == pytest.approx([round(joint, 2)] * 4)
    # 1000 x 5000 x (.12 x .5 - .1 x .3) yen.
    assert yen["allocated"].sum() == 150_000


def test_no_rows_no_leaks() -> None:
    assert score_leaks(leak_rows().head(0)).empty


def test_score_segments_of_a_long_frame() -> None:
    # The segments by hand of above, as rows, beside a second step with one segment.
    rows = [
        (2, "mobile", 30, 1000, 64, 1502, 0.05, 10.0),
        (2, "desktop", 33, 500, 64, 1502, 0.05, 10.0),
        (3, "mobile", 10, 30, 10, 30, 0.50, 20.0),
    ]
    columns = ["step_number", "segment_value", "numerator", "denominator", "shop_numerator"]
    columns += ["shop_denominator", "benchmark", "value"]
    frame = pd.DataFrame(rows, columns=columns).assign(
        property_id="1", window_name="28d", segment_name="device"
    )
    scored = score_segments(frame)
    assert scored["signed"].tolist() == [200, -80, 100]
    assert scored["shortfall"].tolist() == [200, 0, 100]
    assert scored["surplus"].tolist() == [0, 80, 0]
    assert scored["rest"].tolist() == [-9, -9, 0]
    assert scored["total"].tolist() == [111, 111, 100]
    assert score_segments(frame.head(0)).empty
