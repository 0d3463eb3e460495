"""The marts gate: what people read. Rates with their denominators, intervals, sources, coverage.

All rate tables share one shape of slice (`RateTable`), judged together in one validation.
"""

from __future__ import annotations

from data_checks.catalog import Catalog
from data_checks.model import WARNING, Bound, Slice, Suite, never
from data_checks.sql import ASKED, IN_WINDOW, counted
from data_checks.suites import second_sources
from data_checks.suites.cell_tables import cell_rates
from data_checks.suites.dates import dates_slice, dates_suite
from data_checks.suites.experiments import experiments_suite
from data_checks.suites.journey_tables import journey_slices
from data_checks.suites.page_tables import page_slices
from data_checks.suites.rate_tables import RATE_TABLES, REACH, rate_slice
from data_checks.suites.second_sources import counted_by_shopify

DAILY = "marts.fct_funnel_daily"
COMPLETENESS = "marts.fct_data_completeness"
PRODUCTS = "marts.fct_product_funnel"
COVERAGE = "marts.fct_tracking_coverage"
FIGURES = "marts.fct_benchmark_figure"
COMPARISON = "marts.fct_benchmark_comparison"
BENCHMARKS = "intermediate.int_benchmarks__resolved"
PLAN = "intermediate.int_plan__resolved"
RECONCILIATION = "marts.fct_reconciliation"
ACTIVE = "intermediate.int_properties__active"

RATE_EXPECTATIONS = (
    never("grain_is_unique", "duplicate_keys"),
    never("rate_has_numerator_and_denominator", "rates_without_denominator"),
    never("rate_is_their_ratio", "rates_not_their_ratio"),
    never("rate_is_in_range_or_flagged", "rates_out_of_range"),
    never("interval_holds_the_rate", "broken_intervals"),
    never("withheld_number_has_no_rate", "rates_of_withheld_numbers"),
    never("completeness_is_stated", "rows_without_completeness"),
    never("totals_equal_intermediate", "unequal_totals"),
)


def build_suites(catalog: Catalog) -> tuple[Suite, ...]:
    """Suites of the marts gate; the catalog tells which second sources there are."""
    return (
        Suite(
            "rates",
            ("period",),
            (*map(rate_slice, RATE_TABLES), cell_rates(), *page_slices(), *journey_slices()),
            RATE_EXPECTATIONS,
        ),
        dates_suite(dates_slice(DAILY, excuse_empty=True), dates_slice(COMPLETENESS)),
        Suite(
            "money",
            ("date",),
            (_money_slice(),),
            (never("money_has_a_currency", "money_without_currency", WARNING),),
        ),
        Suite(
            "coverage",
            ("key",),
            (_coverage_slice(),),
            (
                Bound("expected_key_has_a_row", "row_count", minimum=1),
                never("tracking_state_is_filled", "empty_states"),
            ),
        ),
        Suite(
            "benchmarks",
            ("benchmark_key",),
            (_benchmarks_slice(), _comparison_slice()),
            (
                never("benchmark_has_source_and_date", "rows_without_source"),
                never("benchmark_range_is_valid", "broken_ranges"),
            ),
        ),
        Suite(
            "sources",
            ("date",),
            (_sources_slice(catalog),),
            (
                never("value_equals_intermediate", "unequal_values"),
                never("ratio_is_of_its_values", "ratios_not_of_values"),
                never("what_a_source_lacks_is_said", "sides_not_said"),
            ),
        ),
        Suite(
            "figures",
            ("benchmark_key",),
            (_figures_slice(),),
            (
                never("figure_has_publisher_sample_and_period", "rows_without_source"),
                never("figure_is_a_share", "no_shares"),
                never("figure_counts_what_the_benchmark_counts", "crossed"),
            ),
        ),
        experiments_suite(),
        *second_sources.of_marts(catalog),
    )


def _money_slice() -> Slice:
    """One row per property × date with money: how much of it is in no known currency."""
    is_without = "item_revenue is not null and coalesce(currency, '') = ''"
    return Slice(
        PRODUCTS,
        f"""
select property_id, date, {counted("money_without_currency", is_without, "item_id")}
from {PRODUCTS}
where {IN_WINDOW}
group by property_id, date
order by property_id, date
""",
        may_be_empty=True,
    )


def _coverage_slice() -> Slice:
    """One row per property × expected key of the tracking plan."""
    return Slice(
        COVERAGE,
        f"""
with stored as (
    select
        property_id, key, count(*) as row_count,
        count(*) filter (where tracking_state is null) as empty_states
    from {COVERAGE}
    where {ASKED}
    group by property_id, key
)
select
    property_id, key, coalesce(stored.row_count, 0) as row_count,
    coalesce(stored.empty_states, 0) as empty_states
from asked_properties
cross join (select key from {PLAN} where is_expected and key <> 'sessions') as plan
left join stored using (property_id, key)
order by property_id, key
""",
    )


_SAID = ("publisher", "sample", "period")
_RANGE_SAID = ("source", "source_date", *_SAID)
_BROKEN_RANGE = "not coalesce(low >= 0 and low < high and high <= 1, false)"


def _without(table: str, *columns: str) -> str:
    """Condition: one of the columns says nothing."""
    return " or ".join(f"coalesce(trim({table}.{one}::varchar), '') = ''" for one in columns)


def _benchmarks_slice() -> Slice:
    """One row per property × benchmark of the seed: a benchmark without a source is an opinion."""
    return Slice(
        BENCHMARKS,
        f"""
select
    property_id, benchmark_key,
    count(*) filter (where {_without("resolved", *_RANGE_SAID)}) as rows_without_source,
    count(*) filter (where {_BROKEN_RANGE}) as broken_ranges
from asked_properties
cross join {BENCHMARKS} as resolved
group by property_id, benchmark_key
order by property_id, benchmark_key
""",
    )


def _comparison_slice() -> Slice:
    """One row per property × benchmark compared: its range, and whether the seed can source it."""
    return Slice(
        COMPARISON,
        f"""
with sourced as (
    select distinct benchmark_key from {BENCHMARKS} as resolved
    where not ({_without("resolved", *_RANGE_SAID)})
),
compared as (
    select
        property_id, benchmark_key, benchmark_low as low, benchmark_high as high, source_text,
        source_kind = 'own_history' as is_own, shortfall
    from {COMPARISON}
    where {ASKED} and window_end >= $start
)
select
    property_id, benchmark_key,
    count(*) filter (
        where if(is_own, {_without("compared", "source_text")}, sourced.benchmark_key is null)
    ) as rows_without_source,
    -- Too few weeks of the shop's own are told without a range; with one they are no floor.
    count(*) filter (
        where {_BROKEN_RANGE} and not (is_own and low is null) or is_own and shortfall is not null
    ) as broken_ranges
from compared
left join sourced using (benchmark_key)
group by property_id, benchmark_key
order by property_id, benchmark_key
""",
    )


def _sources_slice(catalog: Catalog) -> Slice:
    """One row per property × date of a shop with two sources: both counts, ratio and status."""
    values = " or ".join(
        f"value_{side} is not null and value_{side} <> coalesce(by_{side}.sessions, 0)"
        for side in "ab"
    )
    ratio = "ratio is distinct from value_b / nullif(value_a::double, 0)"
    sides = " or ".join(
        f"(value_{lacking} is null) <> coalesce(status = 'only_in_source_{other}', false)"
        for lacking, other in (("a", "b"), ("b", "a"))
    )
    return Slice(
        RECONCILIATION,
        f"""
with routes as (
    select property_id as shop, property_id from {ACTIVE}
    union
    select same_shop_as, property_id from {ACTIVE} where same_shop_as is not null
),
reach as (
    select shop as property_id, route, date, key as step_key, sessions
    from {REACH} inner join routes using (property_id)
    where segment_name = 'all'
    {counted_by_shopify(catalog)}
)
select
    told.property_id, told.date,
    {counted("unequal_values", values, "told.step_key")},
    {counted("ratios_not_of_values", ratio, "told.step_key")},
    {counted("sides_not_said", sides, "told.step_key")}
from (select * from {RECONCILIATION} where {ASKED}) as told
left join reach as by_a
    on told.property_id = by_a.property_id and told.date = by_a.date
    and told.step_key = by_a.step_key and told.source_a = by_a.route
left join reach as by_b
    on told.property_id = by_b.property_id and told.date = by_b.date
    and told.step_key = by_b.step_key and told.source_b = by_b.route
group by all
order by all
""",
        may_be_empty=True,
    )


def _figures_slice() -> Slice:
    """One row per property × benchmark with figures: who says so, and if the rate is the same."""
    counts = ("numerator_key", "denominator_key", "unit")
    crossed = " or ".join(f"figures.{one} is distinct from compared.{one}" for one in counts)
    return Slice(
        FIGURES,
        f"""
with figures as (
    from {FIGURES} where {ASKED} and window_end >= $start
),
compared as (
    select distinct benchmark_key, {", ".join(counts)} from {COMPARISON}
)
select
    property_id, benchmark_key,
    count(*) filter (where {_without("figures", *_SAID, "definition")}) as rows_without_source,
    count(*) filter (where not coalesce(value > 0 and value < 1, false)) as no_shares,
    count(*) filter (where compared.benchmark_key is not null and ({crossed})) as crossed
from figures
left join compared using (benchmark_key)
group by property_id, benchmark_key
order by property_id, benchmark_key
""",
    )
