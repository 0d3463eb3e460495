"""Runs a gate: reads its slices with DuckDB, has Great Expectations judge them, reports.

The only place that touches Great Expectations. It is imported when the first gate runs (3–5 s) or
`warm_up` asks, and so is pandas. It only reads; `record.py` writes the results.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import duckdb

from data_checks.catalog import Catalog, read_catalog
from data_checks.dbt_tests import ModelTest, judge_tests
from data_checks.model import (
    CRITICAL,
    Bound,
    Expectation,
    GateReport,
    GateRequestError,
    GateResult,
    Slice,
    Suite,
    Window,
)
from data_checks.registry import GATES, SUITES
from data_checks.results import TABLE, Judgement, results_of_suite
from data_checks.sql import PREAMBLE

if TYPE_CHECKING:
    import pandas as pd


def run_gate(
    gate: str,
    connection: duckdb.DuckDBPyConnection,
    *,
    window: Window,
    run_id: str,
    properties: Sequence[str],
    now: datetime,
    tests: Sequence[ModelTest] = (),
) -> GateReport:
    """Check one stage of `properties` over `window`; changes nothing in the database.

    `now` is the stamp of the results, `tests` are dbt's own tests of the stage.

    Whatever is wrong with the data (a missing table or column included) is a failed result, with
    at least one result per property. Raises `GateRequestError` for an unknown gate or no property.
    """
    if gate not in SUITES:
        raise GateRequestError(f"There is no gate '{gate}': choose one of {', '.join(GATES)}.")
    asked = tuple(dict.fromkeys(properties))
    if not asked:
        raise GateRequestError(
            f"Gate {gate} was asked to check no property: name at least one in sluice.yml."
        )
    catalog = read_catalog(connection, window, asked)
    judge = _judge()
    found = judge_tests(tests, connection, window, asked)
    for suite in SUITES[gate](catalog):
        found += _run_suite(suite, connection, catalog, judge, window, asked)
    # A table of two suites that cannot be read says so once.
    unique = {(r.property_id, r.table_name, r.expectation): r for r in reversed(found)}
    results = tuple(reversed(unique.values()))
    return GateReport(gate, results, run_id, now, window)


def _run_suite(
    suite: Suite,
    connection: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    judge: _Judge,
    window: Window,
    properties: tuple[str, ...],
) -> list[GateResult]:
    """Results of one suite: unreadable slices first, then one validation of all others."""
    results: list[GateResult] = []
    frames: list[pd.DataFrame] = []
    readable: list[tuple[Slice, tuple[str, ...]]] = []
    for piece in suite.slices:
        if not catalog.has(piece.table_name):
            problem = f"table {piece.table_name} does not exist"
            results += _unreadable(piece, "table_exists", problem, properties)
            continue
        read, problems = _read_apart(piece, connection, window, properties)
        frames += read.values()
        for name, problem in problems.items():
            results += _unreadable(piece, "slice_can_be_read", problem, (name,))
        readable.append((piece, tuple(name for name in properties if name not in problems)))
    if frames:
        frame = _stack(frames)
        judgement = judge.validate(frame, suite)
        results += results_of_suite(suite, readable, frame, judgement)
    return results


def _read_apart(
    piece: Slice,
    connection: duckdb.DuckDBPyConnection,
    window: Window,
    properties: tuple[str, ...],
) -> tuple[dict[tuple[str, ...], pd.DataFrame], dict[str, str]]:
    """The slice of all properties; where it cannot be read, of each alone, and why not.

    A number of one property that SQL cannot compute with must not stop the others.
    """
    try:
        return {properties: _read(piece, connection, window, properties)}, {}
    except duckdb.Error as error:
        if len(properties) == 1:
            return {}, {properties[0]: f"it cannot be read: {str(error).splitlines()[0]}"}
    frames: dict[tuple[str, ...], pd.DataFrame] = {}
    problems: dict[str, str] = {}
    for name in properties:
        alone, problem = _read_apart(piece, connection, window, (name,))
        frames |= alone
        problems |= problem
    return frames, problems


def _read(
    piece: Slice,
    connection: duckdb.DuckDBPyConnection,
    window: Window,
    properties: tuple[str, ...],
) -> pd.DataFrame:
    """The slice as a frame, one row per property × partition, with its table's name."""
    frame = connection.execute(
        f"{PREAMBLE} select * from ({piece.sql})",
        {"start": window.start, "end": window.end, "properties": list(properties)},
    ).df()
    frame[TABLE] = piece.table_name
    return frame


def _stack(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Slices of one shape below each other, every number as float64.

    DuckDB hands integers with a NULL over as pandas' nullable Int64, whose comparisons answer NA:
    GX 1.24 then calls every row of a pair unexpected. An empty slice must decide no column type.
    """
    import pandas as pd  # noqa: PLC0415  (as late as Great Expectations)

    filled = [frame for frame in frames if len(frame)]
    stacked = pd.concat(filled, ignore_index=True) if filled else frames[0]
    numbers = [name for name in stacked if pd.api.types.is_numeric_dtype(stacked[name])]
    return stacked.astype(dict.fromkeys(numbers, "float64"))


def _unreadable(
    piece: Slice, expectation: str, problem: str, properties: tuple[str, ...]
) -> list[GateResult]:
    """The same failure for every property: nothing can be said about any of them."""
    return [
        GateResult(p, piece.table_name, expectation, CRITICAL, False, problem, 1)
        for p in properties
    ]


def warm_up() -> None:
    """Import Great Expectations in a thread of its own, while the caller waits for something."""
    threading.Thread(target=_judge, name="import Great Expectations", daemon=True).start()


@cache
def _judge() -> _Judge:
    return _Judge()


class _Judge:
    """Great Expectations in an ephemeral context: nothing on disk, no telemetry, no bars."""

    def __init__(self) -> None:
        import great_expectations as gx  # noqa: PLC0415
        from great_expectations.data_context.types.base import (  # noqa: PLC0415
            DataContextConfig,
            InMemoryStoreBackendDefaults,
        )

        self._gx = gx
        # At INFO it would log a line per validation into our own log.
        logging.getLogger("great_expectations").setLevel(logging.WARNING)
        # Without the default site for its HTML pages, which would want a temporary folder.
        config = DataContextConfig(
            analytics_enabled=False,
            progress_bars={"globally": False},
            store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        )
        context = gx.get_context(mode="ephemeral", project_config=config)
        asset = context.data_sources.add_pandas("slices").add_dataframe_asset("slice")
        self._batches = asset.add_batch_definition_whole_dataframe("whole")

    def validate(self, frame: pd.DataFrame, suite: Suite) -> Judgement:
        """One validation of the whole frame: unexpected row numbers per expectation.

        Nothing is asked of an empty frame, of which GX would find everything true.
        """
        if frame.empty:
            return Judgement()
        checks = [
            check for expectation in suite.expectations for check in self._checks(expectation)
        ]
        answer = self._batches.get_batch(batch_parameters={"dataframe": frame}).validate(
            self._gx.ExpectationSuite(name=suite.name, expectations=checks),
            result_format={"result_format": "COMPLETE"},
        )
        return _judgement(answer.results)

    def _checks(self, expectation: Expectation) -> list[Any]:
        """The expectation as GX objects. GX skips NULL in a bound: NULL is a check of its own."""
        gxe = self._gx.expectations
        common: dict[str, Any] = {
            "meta": {"name": expectation.name},
            "severity": expectation.severity,
        }
        if isinstance(expectation, Bound):
            bounds = {"min_value": expectation.minimum, "max_value": expectation.maximum}
            column = {"column": expectation.column}
            bound = gxe.ExpectColumnValuesToBeBetween(**column, **bounds, **common)
            if expectation.may_be_null:
                return [bound]
            return [bound, gxe.ExpectColumnValuesToNotBeNull(**column, **common)]
        pair = {"column_A": expectation.column, "column_B": expectation.other}
        common["ignore_row_if"] = "neither"
        if expectation.relation == "equal":
            return [gxe.ExpectColumnPairValuesToBeEqual(**pair, **common)]
        return [gxe.ExpectColumnPairValuesAToBeGreaterThanB(**pair, or_equal=True, **common)]


def _judgement(answers: Sequence[Any]) -> Judgement:
    """GX's answers (in any order) as unexpected rows per expectation, and what went wrong."""
    rows: dict[str, set[int]] = {}
    errors: dict[str, str] = {}
    for answer in answers:
        name = answer.expectation_config.meta["name"]
        found = answer.result.get("unexpected_index_list") or ()
        rows.setdefault(name, set()).update(int(number) for number in found)
        if not answer.success and not found:
            errors[name] = _error_text(answer.exception_info)
    return Judgement({name: tuple(sorted(found)) for name, found in rows.items()}, errors)


def _error_text(information: Any) -> str:
    """The message inside GX's exception record, which is flat or keyed by metric."""
    records = [information, *(v for v in information.values() if isinstance(v, dict))]
    messages = [str(r["exception_message"]) for r in records if r.get("exception_message")]
    return messages[0] if messages else "no reason given"
