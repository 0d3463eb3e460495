"""No macro of rates, states and sums throws, whatever it is fed: one odd row must not stop a night.

Each macro is rendered and run on DuckDB over every combination of ugly arguments, as the integers
of a report, as the sums of these (128 bits) and as doubles.
"""

import json
from itertools import product
from math import inf, isfinite, nan
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment

from pipelines.config.thresholds import threshold
from tests.dbt.conftest import PROJECT

FILES = ("statistics", "states", "sums", "reach")
LARGEST = 2**63 - 1
COUNTS = (None, -LARGEST - 1, -LARGEST, -3, -1, 0, 1, 2, 10, 61, 3_001, 10**12, LARGEST)
DOUBLES = (None, nan, inf, -inf, -1e308, -1.5, -0.0, 0.0, 1e-308, 0.3, 1.0, 60.5, 1e18, 1e308)
# As SQL casts the columns: a report's numbers, sums of them, shares and seconds.
KINDS = {"bigint": COUNTS, "hugeint": COUNTS, "double": DOUBLES}
TRACKING = "'tracked'"


@pytest.fixture(scope="module")
def macros() -> Any:
    """All macros by name; dbt's `var` gives the project's own values."""
    source = "\n".join((PROJECT / "macros" / f"{name}.sql").read_text() for name in FILES)
    return Environment(autoescape=False).from_string(source, {"var": threshold}).module


def over(kind: str, values: tuple[Any, ...], names: str) -> str:
    """SQL of a table with one row for every combination of the values in columns `names`."""
    lists = ", ".join(_literal(value) for value in values)
    columns = [
        f"(select cast(unnest([{lists}]) as {kind}) as {name}) as rows_{name}" for name in names
    ]
    return f"(select * from {', '.join(columns)})"


def columns(**values: Any) -> duckdb.DuckDBPyRelation:
    """A table of these columns, in the database of the process: a new one takes 10 ms."""
    return duckdb.from_arrow(pa.table(values))


def _literal(value: float | None) -> str:
    if value is None:
        return "null"
    return f"'{value}'::double" if isinstance(value, float) else f"'{value}'::hugeint"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("unit", ["sessions", "users", "events"])
def test_an_interval_is_inside_0_and_1_or_not_there(macros: Any, kind: str, unit: str) -> None:
    low, high = (bound("x", "n", unit=unit) for bound in (macros.wilson_low, macros.wilson_high))
    rows = duckdb.sql(
        f"select x, n, {low}, {high}, {macros.rate('x', 'n')}, "
        f"{macros.effective_trials('x', 'n', unit=unit)} from {over(kind, KINDS[kind], 'xn')}"
    ).fetchall()
    assert len(rows) == len(KINDS[kind]) ** 2
    for x, n, lower, upper, *_ in rows:
        assert (lower is None) == (upper is None)
        assert lower is None or 0 <= lower <= upper <= 1
        is_rate = None not in (x, n) and isfinite(n) and 0 <= x <= n and n > 0
        assert is_rate or lower is None, (x, n)
        # Of less than 1e-307 trials n_eff itself has no digits left.
        assert lower is not None or not is_rate or n < 1e-300, (x, n)


@pytest.mark.parametrize("kind", KINDS)
def test_an_effective_size_that_is_none_gives_no_interval(macros: Any, kind: str) -> None:
    bounds = (macros.wilson_low("x", "n", "m"), macros.wilson_high("x", "n", n_eff="m"))
    sizes = over("double", DOUBLES, "m")
    rows = duckdb.sql(
        f"select m, {bounds[0]}, {bounds[1]} from {over(kind, KINDS[kind], 'xn')}, {sizes}"
    ).fetchall()
    assert all(low is None for m, low, _ in rows if m is None or not isfinite(m) or m <= 0)
    assert all(low is None or 0 <= low <= high <= 1 for _, low, high in rows)


@pytest.mark.parametrize("kind", KINDS)
def test_every_other_formula_has_a_value_or_none(macros: Any, kind: str) -> None:
    expressions = {
        "abc": [
            macros.zero_run_probability("a", "b", "c"),
            macros.is_sessionless("a", "b", "c"),
            macros.is_sessionless_window("a", "b", "c"),
            macros.effective_trials("a", "b", phi="c"),
            macros.with_withheld(TRACKING, "a = b", "b = c", "a"),
        ],
        "ab": [
            macros.is_beyond("a", "b"),
            macros.widened_dispersion("a", "b"),
            macros.sessions_to_tell("a"),
        ],
    }
    if kind == "double":  # Differences are of rates.
        expressions["abcd"] = [macros.newcombe_low(*"abcd"), macros.newcombe_high(*"abcd")]
    for names, found in expressions.items():
        for expression in found:
            rows = duckdb.sql(f"select {expression} from {over(kind, KINDS[kind], names)}")
            assert len(rows.fetchall()) == len(KINDS[kind]) ** len(names)


def test_a_count_below_zero_or_above_all_is_beyond(macros: Any) -> None:
    beyond = macros.is_beyond("x", "n")
    rows = duckdb.sql(f"select x, n, {beyond} from {over('bigint', COUNTS, 'xn')}").fetchall()
    for x, n, is_beyond in rows:
        if None not in (x, n):
            assert is_beyond == (x < 0 or x > n)


def test_a_difference_of_counts_is_the_difference_or_no_number(macros: Any) -> None:
    difference = macros.count_difference("x", "n")
    rows = duckdb.sql(f"select x, n, {difference} from {over('bigint', COUNTS, 'xn')}").fetchall()
    for x, n, found in rows:
        is_count = None not in (x, n) and -LARGEST - 1 <= x - n <= LARGEST
        assert found == (x - n if is_count else None)


@pytest.mark.parametrize("kind", KINDS)
def test_counts_without_a_number_are_never_sessionless(macros: Any, kind: str) -> None:
    rules = macros.is_sessionless("e", "s", "t"), macros.is_sessionless_window("e", "s", "t")
    rows = duckdb.sql(
        f"select e, s, t, {rules[0]}, {rules[1]} from {over(kind, KINDS[kind], 'est')}"
    ).fetchall()
    for _, sessions, _, of_day, of_window in rows:
        assert None not in (of_day, of_window)
        assert of_window or not of_day
        if sessions is None:
            assert not of_window


days = st.lists(
    st.tuples(st.sampled_from(COUNTS), st.sampled_from(COUNTS)), min_size=0, max_size=40
)


@settings(max_examples=100, deadline=None)
@given(days)
def test_dispersion_of_any_days_is_a_number_from_1_on(
    macros: Any, days: list[tuple[int | None, int | None]]
) -> None:
    xs, ns = ([day[place] for day in days] for place in range(2))
    counted = columns(x=pa.array(xs, pa.int64()), n=pa.array(ns, pa.int64()))
    ((phi,),) = counted.aggregate(macros.overdispersion("x", "n")).fetchall()
    assert phi >= 1
    assert isfinite(phi)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(DOUBLES), st.sampled_from(COUNTS)), max_size=20))
def test_variance_of_any_orders_is_none_or_a_number_from_0_on(
    macros: Any, days: list[tuple[float | None, int | None]]
) -> None:
    amounts, counts = ([day[place] for day in days] for place in range(2))
    orders = columns(r=pa.array(amounts, pa.float64()), n=pa.array(counts, pa.int64()))
    ((variance,),) = orders.aggregate(macros.order_variance("r", "n")).fetchall()
    assert variance is None or (variance >= 0 and isfinite(variance))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(DOUBLES)), st.lists(st.sampled_from(COUNTS)))
def test_a_sum_is_the_sum_or_no_number(
    macros: Any, amounts: list[float | None], counts: list[int | None]
) -> None:
    of_money, of_counts = (
        columns(x=pa.array(amounts, pa.float64())), columns(n=pa.array(counts, pa.int64())),
    )  # fmt: skip
    ((money, whole),) = of_money.aggregate(
        f"{macros.exact_sum('x')}, {macros.whole_sum('x', 'double')}"
    ).fetchall()
    ((total, whole_total),) = of_counts.aggregate(
        f"{macros.count_sum('n')}, {macros.whole_sum('n')}"
    ).fetchall()
    known = [one for one in amounts if one is not None]
    is_money = bool(known) and all(isfinite(one) and abs(one) < 1e18 for one in known)
    assert money == (pytest.approx(sum(known), abs=1e-5) if is_money else None)
    assert whole == (money if None not in amounts else None)
    numbers = [one for one in counts if one is not None]
    is_count = bool(numbers) and -LARGEST - 1 <= sum(numbers) <= LARGEST
    assert total == (sum(numbers) if is_count else None)
    assert whole_total == (total if None not in counts else None)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(DOUBLES), st.sampled_from(COUNTS), st.floats())))
def test_the_totals_of_a_pull_are_to_the_cent_or_no_number(
    macros: Any, totals: list[float | None]
) -> None:
    text = json.dumps({f"metric_{place}": value for place, value in enumerate(totals)})
    ((sums,),) = columns(totals=[text]).project(macros.totals_in_cents("totals")).fetchall()
    for place, value in enumerate(totals):
        found = sums[f"metric_{place}"]
        if value is not None and abs(value) < 1e35:
            assert float(found) == pytest.approx(value, abs=0.0051, rel=1e-12)
        elif value is None or not abs(value) < 1e36:
            assert found is None


@pytest.mark.parametrize("text", [None, "", "nonsense", "[1]", "3", "{"])
def test_totals_that_are_none_are_none(macros: Any, text: str | None) -> None:
    totals = columns(totals=pa.array([text], pa.string()))
    assert totals.project(macros.totals_in_cents("totals")).fetchone() == (None,)


def test_the_combinations_are_what_they_say() -> None:
    rows = duckdb.sql(f"select * from {over('bigint', (None, 1, 2), 'ab')}").fetchall()
    assert sorted(map(str, rows)) == sorted(map(str, product((None, 1, 2), repeat=2)))
