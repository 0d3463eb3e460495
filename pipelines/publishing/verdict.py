"""What a published version found, in sentences: for the terminal, and for Dagster's page of it."""

from __future__ import annotations

import duckdb

# What is healed is worth nothing any more.
_FINDINGS = """
    select property_name, state, headline, case when state <> 'healed' then concat_ws(
        ' ', worth_sentence, surplus_sentence,
        format('Below the floor with a probability of {:.0f} %.', cast(100 * p_gap as double))
    ) end
    from marts.fct_finding
    inner join marts.dim_property using (property_id)
    order by property_name, state = 'healed', opportunity_p50 desc nulls last, finding_id
"""
_PROPERTIES = "select count(*) from marts.dim_property"
# Steps of whole shops, of which anything at all can be said.
_JUDGED = """
    select count(*) from marts.fct_benchmark_comparison
    where window_name = '28d' and segment_name = 'all' and source_kind <> 'own_history'
        and rate is not null and status <> 'insufficient_data'
"""


def verdict_sentences(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Every finding, of a property what goes on and is dearest first; or why there is none."""
    found = connection.execute(_FINDINGS).fetchall()
    (properties,), (judged,) = (
        connection.execute(query).fetchall()[0] for query in (_PROPERTIES, _JUDGED)
    )
    if not found and judged:
        return ["No step is likely to be below its benchmark."]
    if not found:
        return ["There is too little data yet to tell whether any step leaks."]
    return [
        f"Finding ({state}{f', {name}' if properties > 1 else ''}): "
        + " ".join(filter(None, (headline, rest)))
        for name, state, headline, rest in found
    ]
