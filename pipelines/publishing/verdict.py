"""What a published version found, in sentences: for the terminal, and for Dagster's page of it."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import duckdb

from pipelines.wording import counted

# Every finding, of a property what goes on and is dearest first; one row of a property that has
# none. What is healed is worth nothing any more. Judged: a step of the whole shop of which anything
# at all can be said.
_FOUND = """
    with judged as (
        select distinct property_id from marts.fct_benchmark_comparison
        where window_name = '28d' and segment_name = 'all' and source_kind <> 'own_history'
            and rate is not null and status <> 'insufficient_data'
    )
    select property_id, coalesce(nullif(property_name, ''), property_id) as name,
        property_id in (from judged) as is_judged, state, headline, case when state <> 'healed'
            then concat_ws(' ', worth_sentence, surplus_sentence, format(
                'Below the floor with a probability of {:.0f} %.', cast(100 * p_gap as double)
            ))
        end as rest
    from marts.dim_property left join marts.fct_finding using (property_id)
    order by name, property_id, finding_rank
"""

# The steps of the funnel that nobody counts, and what to do; first of all, as on the page.
_UNCOUNTED = """
    select property_id, list(fix order by step_number)
    from marts.fct_tracking_coverage inner join (
        select distinct property_id, step_key as key, step_number
        from marts.fct_funnel_window where funnel = 'core'
    ) using (property_id, key)
    where tracking_state in ('not_tracked', 'tracking_lost')
    group by property_id
"""


def verdict_sentences(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """What nobody counts, every finding with what it is worth, or why there is none; property by
    property."""
    return [
        " ".join(filter(None, (said, rest)))
        for sentences in _properties(connection)
        for said, _, rest in sentences
    ]


def headlines(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """One line a property: its first finding and how many more go on, or why there is none."""
    lines = []
    for (said, *_), *others in _properties(connection):
        more = sum(state not in {None, "healed"} for _, state, _ in others)
        lines.append(f"{said} {counted(more, 'more finding')}." if more else said)
    return lines


# Sentence, state (None where nothing was found) and what else is to be said.
_Sentence = tuple[str, str | None, str | None]


def _properties(connection: duckdb.DuckDBPyConnection) -> list[list[_Sentence]]:
    rows = connection.execute(_FOUND).fetchall()
    uncounted = dict(connection.execute(_UNCOUNTED).fetchall())
    shops = [list(of_one) for _, of_one in groupby(rows, key=lambda row: row[0])]
    is_alone, found = len(shops) == 1, []
    for shop in shops:
        property_id, name, _, state, *_ = shop[0]
        fixes = uncounted.get(property_id, [])
        said: list[_Sentence] = [
            (fix if is_alone else f"{name}: {fix}", None, None) for fix in fixes
        ]
        if not (fixes and state is None):
            said += [_sentence(row, is_alone=is_alone) for row in shop]
        found.append(said)
    return found


def _sentence(row: tuple[Any, ...], *, is_alone: bool) -> _Sentence:
    _, name, is_judged, state, headline, rest = row
    if state is not None:
        return f"Finding ({state}{'' if is_alone else f', {name}'}): {headline}", state, rest
    nothing = (
        "No step that can be judged is likely to be below its benchmark."
        if is_judged
        else "There is too little data yet to tell whether any step leaks."
    )
    return nothing if is_alone else f"{name}: {nothing}", None, None
