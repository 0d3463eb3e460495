"""Experiments of the register, in the marts gate: counts are those of the files, or are hidden."""

from __future__ import annotations

from data_checks.model import Slice, Suite, never
from data_checks.sql import ASKED, counted
from data_checks.suites.rate_tables import EPSILON

EXPERIMENTS = "marts.fct_experiment"
_SUMS = ("exposed", "numerator", "denominator")
_UNEQUAL = " or ".join(
    f"told.{prefix}{name} is distinct from {side}.{name}"
    for prefix, side in (("", "own"), ("control_", "control"))
    for name in _SUMS
)
# Few units have a rate and no interval.
_NO_RATE = (
    "rate is not null and ("
    f"(abs(rate - told.numerator / nullif(told.denominator, 0)) <= {EPSILON}) is not true "
    f"or (rate between ci_low - {EPSILON} and ci_high + {EPSILON}) is false "
    "or (ci_low is null) <> (ci_high is null))"
)
_SHOWN = (
    "(verdict is null or verdict = 'invalid') and (rate is not null or difference is not null "
    "or p_value is not null)"
)


def experiments_suite() -> Suite:
    """One row per property × experiment."""
    return Suite(
        "experiments",
        ("experiment_id",),
        (
            Slice(
                EXPERIMENTS,
                f"""
with outcomes as (
    select
        property_id, change_id as experiment_id, variant,
        {", ".join(f"sum({name}) as {name}" for name in _SUMS)}
    from staging.stg_register__outcomes
    group by all
)
select
    told.property_id, told.experiment_id,
    {counted("unequal_counts", f"told.exposed is not null and ({_UNEQUAL})", "told.variant")},
    {counted("rates_not_their_ratio", _NO_RATE, "told.variant")},
    {counted("results_not_hidden", _SHOWN, "told.variant")},
    {counted("rows_without_reason", "coalesce(reason, '') = ''", "told.variant")}
from (select * from {EXPERIMENTS} where {ASKED}) as told
left join outcomes as own using (property_id, experiment_id, variant)
left join outcomes as control
    on told.property_id = control.property_id and told.experiment_id = control.experiment_id
    and told.control = control.variant
group by all
order by all
""",
                may_be_empty=True,
            ),
        ),
        (
            never("counts_equal_outcomes", "unequal_counts"),
            never("rate_is_their_ratio", "rates_not_their_ratio"),
            never("invalid_result_is_hidden", "results_not_hidden"),
            never("verdict_has_a_reason", "rows_without_reason"),
        ),
    )
