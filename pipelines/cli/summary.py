"""Prints what a run found: the funnel, the verdicts and the findings, and where its page is."""

from __future__ import annotations

from pathlib import Path

import duckdb
from rich.markup import escape
from rich.table import Table

from pipelines.cli.common import new_table, out
from pipelines.config.settings import DEFAULT_TRACKING_PLAN
from pipelines.publishing.verdict import verdict_sentences
from pipelines.publishing.versions import DATABASE, PAGE
from pipelines.warehouse.connect import published_database
from pipelines.wording import words

SEGMENTS_SHOWN = 5
NUMBERS = {"sessions", "of sessions", "rate", "of the step before", "short by"}
_FUNNEL = """
    select step_key, reached, step_rate, ci_low, ci_high, benchmark_low, benchmark_high,
        tracking_state, benchmark_status
    from marts.fct_funnel_window
    where window_name = '28d' and funnel = 'core' and segment_name = 'all'
    order by property_id, step_number
"""
_VERDICTS = """
    select benchmark_key, segment_name, segment_value, numerator, denominator, rate, ci_low,
        ci_high, benchmark_low, benchmark_high, status, shortfall
    from marts.fct_benchmark_comparison
    where window_name = '28d' and source_kind <> 'own_history'
        and (segment_name = 'all' or status = 'below')
    order by segment_name <> 'all', shortfall desc nulls last, benchmark_key
"""
_FIGURES = """
    select distinct benchmark_key, figures from marts.fct_benchmark_figure
    where window_name = '28d' and segment_name = 'all'
    order by benchmark_key
"""
_NOT_TRACKED = """
    select key, tracking_state from marts.fct_tracking_coverage
    where is_expected and tracking_state in ('not_tracked', 'tracking_lost') order by all
"""
_SESSIONLESS = """
    select property_id, fix from marts.fct_tracking_coverage
    where tracking_state = 'sessionless' order by property_id, key <> 'purchase', key
"""
_SUGGESTIONS = """
    select words, plan_lines from marts.fct_event_suggestion order by events_28d desc limit 5
"""


def print_summary(published_dir: Path) -> None:
    """The last 28 days of the published version, for people."""
    with published_database(published_dir) as connection:
        out.print(_funnel(connection))
        out.print(_verdicts(connection))
        for key, figures in connection.execute(_FIGURES).fetchall():
            out.print(
                f"What other shops have, {words(key.removesuffix('_rate'))}: {escape(figures)}"
            )
        for key, state in connection.execute(_NOT_TRACKED).fetchall():
            out.print(
                f"[yellow]{words(key)} is {words(state)}[/yellow]: set up its tracking first "
                "('sluice gtm' writes a Tag Manager container)."
            )
    print_verdict(published_dir)


def print_verdict(published_dir: Path) -> None:
    """What the published version lacks, what it found, and where its page and numbers are."""
    with published_database(published_dir) as connection:
        _print_sessionless(connection)
        _print_suggestions(connection)
        for sentence in verdict_sentences(connection):
            out.print(escape(sentence), soft_wrap=True)
    current = escape(str(published_dir / "current"))
    out.print(f"Page: {current}/{PAGE}", soft_wrap=True)
    out.print(f"Numbers: {current}/{DATABASE} ('sluice sql' asks them)", soft_wrap=True)


def _print_sessionless(connection: duckdb.DuckDBPyConnection) -> None:
    for property_id, fix in connection.execute(_SESSIONLESS).fetchall():
        out.print(f"[yellow]Property {property_id}[/yellow]: {escape(fix)}", soft_wrap=True)


def _print_suggestions(connection: duckdb.DuckDBPyConnection) -> None:
    for question, lines in connection.execute(_SUGGESTIONS).fetchall():
        line = escape("; ".join(lines.splitlines()))
        out.print(f"{escape(question)} If so, put into {DEFAULT_TRACKING_PLAN}: {line}")


def _funnel(connection: duckdb.DuckDBPyConnection) -> Table:
    table = _table(
        "Funnel, last 28 days",
        ["step", "sessions", "of the step before", "95 % interval", "benchmark", "verdict"],
    )
    for row in connection.execute(_FUNNEL).fetchall():
        step, reached, rate, low, high, floor, ceiling, tracking, status = row
        verdict = status or ("" if tracking == "tracked" else tracking)
        table.add_row(
            words(step),
            "" if reached is None or tracking == "sessionless" else f"{reached:,}",
            percent(rate),
            interval(low, high),
            interval(floor, ceiling),
            words(verdict),
        )
    return table


def _verdicts(connection: duckdb.DuckDBPyConnection) -> Table:
    rows = connection.execute(_VERDICTS).fetchall()
    table = _table(
        "Benchmarks: the whole shop, and the segments that are furthest below",
        ["benchmark", "segment", "rate", "of sessions", "95 % interval", "range", "verdict",
         "short by"],
    )  # fmt: skip
    whole = [row for row in rows if row[1] == "all"]
    segments = [row for row in rows if row[1] != "all"]
    for row in (*whole, *segments[:SEGMENTS_SHOWN]):
        key, name, value, _, denominator, rate, low, high, floor, ceiling, *rest = row
        status, shortfall = rest
        table.add_row(
            words(key.removesuffix("_rate")),
            escape(value if name == "all" else f"{name} = {value}"),
            percent(rate),
            "" if rate is None else f"{denominator:,}",
            interval(low, high),
            interval(floor, ceiling),
            words(status),
            f"{shortfall:,.0f}" if shortfall else "",
        )
    if more := len(segments) - SEGMENTS_SHOWN:
        table.caption = f"{more} more in marts.fct_benchmark_comparison" if more > 0 else None
    return table


def _table(title: str, columns: list[str]) -> Table:
    return new_table(*columns, title=title, numbers=NUMBERS)


def percent(rate: float | None) -> str:
    """A rate in per cent; nothing where it is not known."""
    return "" if rate is None else f"{100 * rate:.1f} %"


def interval(low: float | None, high: float | None) -> str:
    """Two ends in per cent."""
    return "" if low is None or high is None else f"{100 * low:.1f} – {100 * high:.1f} %"
