"""The SQL statistics, rendered from their macros and run on DuckDB alone."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from jinja2 import Environment
from scipy import stats

from pipelines.config.thresholds import threshold
from tests.support.noise import widened_phi

MACROS = Path(__file__).parents[2] / "dbt_project" / "macros" / "statistics.sql"


@pytest.fixture(scope="module")
def macros() -> Any:
    environment = Environment(autoescape=False)
    return environment.from_string(MACROS.read_text(), globals={"var": threshold}).module


def value(expression: str) -> float | None:
    row = duckdb.sql(f"select cast({expression} as double)").fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(
    ("x", "n", "low", "high"),
    [
        (81, 263, 0.255289, 0.366210),
        (15, 148, 0.062386, 0.160487),
        (0, 20, 0.0, 0.161125),
        (1, 29, 0.006113, 0.171755),
    ],
)
def test_wilson_reference_case_1(macros: Any, x: int, n: int, low: float, high: float) -> None:
    assert value(macros.wilson_low(x, n)) == pytest.approx(low, abs=5e-7)
    assert value(macros.wilson_high(x, n)) == pytest.approx(high, abs=5e-7)


def test_wilson_equals_scipys_everywhere(macros: Any) -> None:
    rows = duckdb.sql(
        f"select x, n, {macros.wilson_low('x', 'n')}, {macros.wilson_high('x', 'n')} "
        "from (select unnest(range(1, 41)) as n) as trials, "
        "lateral (select unnest(range(0, n + 1))) as successes (x)"
    ).fetchall()
    assert len(rows) == sum(n + 1 for n in range(1, 41))
    for x, n, low, high in rows:
        interval = stats.binomtest(x, n).proportion_ci(method="wilson")
        assert (low, high) == pytest.approx((interval.low, interval.high), abs=1e-12)
        assert 0 <= low <= high <= 1


def test_wilson_on_an_effective_size_is_wider(macros: Any) -> None:
    # 30 of 100 with an overdispersion of 2 is 15 of 50.
    assert value(macros.wilson_low(30, 100, n_eff=50)) == pytest.approx(
        stats.binomtest(15, 50).proportion_ci(method="wilson").low
    )


@pytest.mark.parametrize(("x", "n"), [("0", "0"), ("3", "2"), ("null", "5"), ("1", "null")])
def test_no_interval_without_a_rate(macros: Any, x: str, n: str) -> None:
    assert value(macros.wilson_low(x, n)) is None
    assert value(macros.wilson_high(x, n)) is None


def test_newcombe_reference_case_2(macros: Any) -> None:
    first = [str(value(bound(56, 70))) for bound in (macros.wilson_low, macros.wilson_high)]
    other = [str(value(bound(48, 80))) for bound in (macros.wilson_low, macros.wilson_high)]
    low = value(macros.newcombe_low("0.8", first[0], "0.6", other[1]))
    high = value(macros.newcombe_high("0.8", first[1], "0.6", other[0]))
    assert (low, high) == pytest.approx((0.052431, 0.333873), abs=5e-7)


@pytest.mark.parametrize(
    ("x", "trials", "n", "expected"),
    [
        (20, 100, 10, 0.8**10),
        (5, 5, 3, (1 / 6) ** 3),  # a baseline of 100 % is held at 5/6
        (9, 5, 3, (1 / 6) ** 3),
        (5, 0, 3, 1.0),  # no baseline, no evidence
        (20, 100, 0, 1.0),
    ],
)
def test_zero_run(macros: Any, x: int, trials: int, n: int, expected: float) -> None:
    assert value(macros.zero_run_probability(x, trials, n)) == pytest.approx(expected)


def share_called_below(macros: Any, rate: float, n: int) -> float:
    """P(verdict `below` the floor of 5 %) for a true rate, by adding up the binomial exactly."""
    highs = duckdb.sql(
        f"select {macros.wilson_high('x', str(n))} from range({n + 1}) as counts (x) order by x"
    ).fetchnumpy()
    (upper,) = highs.values()
    called = np.asarray(upper, dtype=float) < 0.05
    return float(stats.binom.pmf(np.arange(n + 1), n, rate)[called].sum())


def test_operating_figures(macros: Any) -> None:
    sizes = (100, 300, 1_000, 5_000)
    leaking = [100 * share_called_below(macros, 0.03, n) for n in sizes]
    at_floor = [100 * share_called_below(macros, 0.05, n) for n in sizes]
    assert leaking == pytest.approx([4.8, 32, 88, 100], abs=0.5)
    assert at_floor == pytest.approx([0.6, 1.6, 2.1, 2.2], abs=0.05)
    assert all(smaller < larger for smaller, larger in pairwise(leaking))


DAYS = [(22, 400), (31, 420), (18, 390), (40, 450), (25, 410), (12, 300), (29, 430)]


def phi_of(macros: Any, days: list[tuple[int, int]]) -> float:
    rows = ", ".join(map(str, days))
    row = duckdb.sql(
        f"select cast({macros.overdispersion('x', 'n')} as double) "
        f"from (values {rows}) as days (x, n)"
    ).fetchone()
    assert row is not None
    return row[0]


def test_overdispersion_reference_case_15(macros: Any) -> None:
    assert phi_of(macros, DAYS) == pytest.approx(1.845421, abs=5e-7)
    assert phi_of(macros, DAYS[:6]) == 1
    assert phi_of(macros, [(40, 400)] * 28) == pytest.approx(1)
    assert phi_of(macros, [(0, 400)] * 28) == 1


def test_days_above_100_percent_are_part_of_the_variation(macros: Any) -> None:
    """Of 40 a day 85 % go on, and 4 come who skipped the step: 95 %, and many days above 100 %."""
    random = np.random.default_rng(7)
    n = random.poisson(40, (400, 28))
    x = random.binomial(n, 0.85) + random.poisson(4, n.shape)
    assert (x > n).mean() > 0.1
    days = pa.table({"number": np.repeat(np.arange(400), 28), "x": x.ravel(), "n": n.ravel()})
    trials = f"(sum(n) / {macros.widened_dispersion(macros.overdispersion('x', 'n'), 'count(*)')})"
    low, high = (
        bound("sum(x)", "sum(n)", trials) for bound in (macros.wilson_low, macros.wilson_high)
    )
    covered = duckdb.from_arrow(days).aggregate(f"{low} <= 0.95 and {high} >= 0.95", "number")
    assert np.mean(covered.fetchall()) >= 0.93


def test_interval_of_a_lift_holds_the_error_of_estimates(macros: Any) -> None:
    """80 of 1,000 and 50 of 1,000 by hand, which are counted; then estimates of 9 and 6 %."""
    assert value(macros.lift_error(2_000, 130, 1_000, 80, "false")) == pytest.approx(
        np.sqrt((1 - 0.08) / 80 + (1 - 0.05) / 50)
    )
    random = np.random.default_rng(7)
    did = random.binomial(60_000, 0.09, 2_000)
    true = [np.full(2_000, 100_000), did + random.binomial(40_000, 0.06, 2_000)]
    true += [np.full(2_000, 60_000), did]
    sigma = float(threshold("users_sigma")) / np.sqrt(2)
    users, adds, n, x = (np.rint(one * (1 + sigma * random.normal(size=2_000))) for one in true)
    counts = pa.table({"users": users, "adds": adds, "n": n, "x": x})
    off = "abs(ln(x / n / ((adds - x) / (users - n))) - ln(1.5)) <= 1.96 * "
    covered, without = (
        np.mean(
            duckdb.from_arrow(counts)
            .project(off + macros.lift_error("users", "adds", "n", "x", exact))
            .fetchall()
        )
        for exact in ("false", "true")
    )
    assert covered == pytest.approx(0.95, abs=0.02)
    assert without < 0.8


@pytest.mark.parametrize("days", [7, 14, 28, 31])
def test_dispersion_is_widened_as_the_study_does(macros: Any, days: int) -> None:
    expected = widened_phi(np.array([3.0]), np.array([float(days)]))[0]
    assert value(macros.widened_dispersion(3.0, days)) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    ("x", "n", "unit", "sigma"),
    [
        (500, 10_000, "sessions", 0.023),
        (500, 10_000, "users", 0.0115),
        (500, 10_000, "events", 0.0),
        (150, 3_000, "sessions", 0.0),
        (0, 10_000, "sessions", 0.0),
        (10_000, 10_000, "sessions", 0.0),
    ],
)
def test_effective_trials_of_one_estimate(
    macros: Any, x: int, n: int, unit: str, sigma: float
) -> None:
    p = x / n
    variance = p * (1 - p) / n + p**2 * sigma**2
    expected = p * (1 - p) / variance if 0 < p < 1 else n
    assert value(macros.effective_trials(x, n, unit=unit)) == pytest.approx(expected)


def test_effective_trials_of_summed_days(macros: Any) -> None:
    assert value(macros.effective_trials(500, 10_000, phi=2.5)) == 4_000
