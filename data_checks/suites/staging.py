"""The staging gate: nothing lost from raw, nothing twice, keys filled, dates known, events known.

Every staging model is compared with the raw tables it was made of, per property × segment × date.
"""

from __future__ import annotations

from data_checks.catalog import Catalog
from data_checks.model import WARNING, Bound, Expectation, Pair, Slice, Suite, never
from data_checks.sql import ASKED, IN_WINDOW, counted, key_text
from data_checks.suites import second_sources
from data_checks.suites.staged_models import MODELS, StagedModel
from pipelines.ga4.exactness import SUMMATION


def build_suites(catalog: Catalog) -> tuple[Suite, ...]:
    """Suites of the staging gate: one reconciliation per model, then dates and event names."""
    return (
        *(_reconciliation(catalog, model) for model in MODELS),
        Suite(
            "dates",
            (),
            tuple(_dates_slice(catalog, model) for model in MODELS),
            (never("dates_are_in_history", "dates_outside"),),
        ),
        Suite(
            "event_names",
            (),
            (_events_slice(),),
            (
                Bound("events_are_present", "event_names", minimum=1),
                Bound("an_event_is_in_the_plan", "known_event_names", minimum=1, severity=WARNING),
            ),
        ),
        *second_sources.of_staging(catalog),
    )


def _reconciliation(catalog: Catalog, model: StagedModel) -> Suite:
    """Rows and sums of the model against raw; a suite of its own, for its own measures."""
    expectations: tuple[Expectation, ...] = (
        Pair("row_count_equals_raw", "row_count", "raw_row_count"),
        *(
            # Relative: money is added up in another order here than there, and rounds otherwise.
            Bound(f"{m}_equals_raw", f"{m}_difference", maximum=SUMMATION, beside=(m, f"raw_{m}"))
            for m in model.measures
        ),
        never("keys_are_filled", "empty_keys"),
    )
    name = model.table_name.removeprefix("staging.stg_ga4__")
    slices = (_reconciliation_slice(catalog, model),)
    return Suite(name, ("segment_name", "date"), slices, expectations)


def _reconciliation_slice(catalog: Catalog, model: StagedModel) -> Slice:
    """One row per property × segment × date of either side; a side without rows counts as 0."""
    sums = "".join(f", sum({m}) as {m}" for m in model.measures)
    raw_sums = "".join(f", sum({of}) as {m}" for m, of in model.measures.items())
    no_raw = "".join(f", 0 as {m}" for m in model.measures)
    raw = " union all ".join(
        f"select '{name}' as segment_name, property_id, date, count(*) as row_count{raw_sums}"
        f" from {table} where {IN_WINDOW} group by property_id, date"
        for name, table in model.sources(catalog)
    ) or (
        "select '' as segment_name, '' as property_id, null::date as date,"
        f" 0 as row_count{no_raw} where false"
    )
    is_empty = " or ".join(f"{key} is null" for key in model.keys)
    differences = "".join(
        f",\n    abs(coalesce(staged.{m}, 0) - coalesce(source.{m}, 0))::double"
        f" / greatest(1, abs(coalesce(source.{m}, 0))::double) as {m}_difference,"
        f" coalesce(staged.{m}, 0)::double as {m}, coalesce(source.{m}, 0)::double as raw_{m}"
        for m in model.measures
    )
    return Slice(
        model.table_name,
        f"""
with source as ({raw}),
staged as (
    select
        coalesce({model.part}, '(empty)') as segment_name, property_id, date,
        count(*) as row_count{sums}, {counted("empty_keys", is_empty, key_text(model.keys))}
    from {model.table_name}
    where {IN_WINDOW}
    group by 1, 2, 3
)
select
    property_id, segment_name, date,
    coalesce(staged.row_count, 0) as row_count, coalesce(source.row_count, 0) as raw_row_count
    {differences},
    coalesce(staged.empty_keys, 0) as empty_keys, staged.empty_keys_example
from staged
full join source using (property_id, segment_name, date)
order by property_id, segment_name, date
""",
        may_be_empty=model.may_be_empty,
    )


def _dates_slice(catalog: Catalog, model: StagedModel) -> Slice:
    """One row per property: rows without a date, or outside of what raw holds or was asked."""
    raw = (
        " union all ".join(
            f"select property_id, min(date) as first_date, max(date) as last_date from {table}"
            f" where {ASKED} group by property_id"
            for _, table in model.sources(catalog)
        )
        or "select '' as property_id, null::date as first_date, null::date as last_date where false"
    )
    is_outside = (
        "staged.date is null or staged.date < least(history.first_date, $start::date)"
        " or staged.date > greatest(history.last_date, $end::date)"
    )
    return Slice(
        model.table_name,
        f"""
with history as (
    select property_id, min(first_date) as first_date, max(last_date) as last_date
    from ({raw}) group by property_id
),
outside as (
    select staged.property_id, {counted("dates_outside", is_outside, "staged.date::varchar")}
    from {model.table_name} as staged
    left join history using (property_id)
    group by staged.property_id
)
select
    property_id, coalesce(dates_outside, 0) as dates_outside, dates_outside_example
from asked_properties
left join outside using (property_id)
""",
    )


def _events_slice() -> Slice:
    """One row per property: event names seen in the window, and those the tracking plan knows."""
    return Slice(
        "staging.stg_ga4__events",
        f"""
with plan as (
    select distinct trim(unnest(string_split(event_names, '|'))) as event_name
    from (
        select event_names from seeds.micro_conversions
        union all select event_names from ops.tracking_plan_overrides
    )
),
seen as (
    select distinct property_id, event_name from staging.stg_ga4__events where {IN_WINDOW}
)
select
    property_id, count(seen.event_name) as event_names,
    count(plan.event_name) as known_event_names
from asked_properties
left join seen using (property_id)
left join plan using (event_name)
group by property_id
""",
    )
