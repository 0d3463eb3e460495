"""Runs a gate: reads its slices with DuckDB, has Great Expectations judge them, reports.

The only place that touches Great Expectations. It is imported when the first gate runs (3–5 s) or
`warm_up` asks, and so is pandas. It only reads; `record.py` writes the results.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

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
    Pair,
    Slice,
    Suite,
    Window,
)
from data_checks.registry import GATES, SUITES
from data_checks.results import TABLE, Judgement, results_of_suite
from data_checks.sql import PREAMBLE

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


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
    found = judge_tests(tests, connection, window, asked)
    read = [
        _read_suite(suite, connection, catalog, window, asked) for suite in SUITES[gate](catalog)
    ]
    for suite, judgement in zip(read, _validator().judge(read), strict=True):
        found += suite.unreadable
        if suite.frame is not None:
            found += results_of_suite(suite.suite, suite.readable, suite.frame, judgement)
    # A table of two suites that cannot be read says so once.
    unique = {(r.property_id, r.table_name, r.expectation): r for r in reversed(found)}
    results = tuple(reversed(unique.values()))
    return GateReport(gate, results, run_id, now, window)


@dataclass(frozen=True)
class _SuiteRead:
    """What a suite has to judge. `unreadable`: failures of slices that cannot be read; `readable`:
    the others, with the properties they were read of; `frame`: their rows, None without any.
    """

    suite: Suite
    unreadable: tuple[GateResult, ...]
    readable: tuple[tuple[Slice, tuple[str, ...]], ...]
    frame: pd.DataFrame | None


def _read_suite(
    suite: Suite,
    connection: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    window: Window,
    properties: tuple[str, ...],
) -> _SuiteRead:
    unreadable: list[GateResult] = []
    frames: list[pd.DataFrame] = []
    readable: list[tuple[Slice, tuple[str, ...]]] = []
    for piece in suite.slices:
        if not catalog.has(piece.table_name):
            problem = f"table {piece.table_name} does not exist"
            unreadable += _unreadable(piece, "table_exists", problem, properties)
            continue
        read, problems = _read_apart(piece, connection, window, properties)
        frames += read.values()
        for name, problem in problems.items():
            unreadable += _unreadable(piece, "slice_can_be_read", problem, (name,))
        readable.append((piece, tuple(name for name in properties if name not in problems)))
    frame = _stack(frames) if frames else None
    return _SuiteRead(suite, tuple(unreadable), tuple(readable), frame)


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
    threading.Thread(target=_validator, name="import Great Expectations").start()


def _validator() -> _Validator:
    """The process's own; a gate that comes while it is made waits for it."""
    with _MAKING:
        return _made()


_MAKING = threading.Lock()


@cache
def _made() -> _Validator:
    return _Validator()


class _Validator:
    """Great Expectations in an ephemeral context: nothing on disk, no telemetry, no bars.

    It judges one long frame a gate, a line per row and expectation: is `value` between `low` and
    `high`? An expectation object of its own for each of a hundred took a second a night.
    """

    def __init__(self) -> None:
        import great_expectations as gx  # noqa: PLC0415
        from great_expectations.data_context.types.base import (  # noqa: PLC0415
            DataContextConfig,
            InMemoryStoreBackendDefaults,
        )

        # At INFO it would log a line per validation into our own log.
        logging.getLogger("great_expectations").setLevel(logging.WARNING)
        # Without the default site for its HTML pages, which would want a temporary folder.
        config = DataContextConfig(
            analytics_enabled=False,
            progress_bars={"globally": False},
            store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        )
        context = gx.get_context(mode="ephemeral", project_config=config)
        asset = context.data_sources.add_pandas("lines").add_dataframe_asset("line")
        self._batches = asset.add_batch_definition_whole_dataframe("whole")
        # Nothing is greater than NULL, or less: a NULL on any side fails.
        at_least = gx.expectations.ExpectColumnPairValuesAToBeGreaterThanB
        sides = (("value", "low"), ("high", "value"))
        self._expectations = gx.ExpectationSuite(
            name="between",
            expectations=[
                at_least(column_A=a, column_B=b, or_equal=True, ignore_row_if="neither")
                for a, b in sides
            ],
        )

    def judge(self, suites: Sequence[_SuiteRead]) -> list[Judgement]:
        """What is unexpected in the frame of each suite; nothing in one without rows."""
        import numpy as np  # noqa: PLC0415
        import pandas as pd  # noqa: PLC0415

        judgements = [Judgement({}, {}) for _ in suites]
        pieces: list[tuple[Judgement, str, NDArray[np.float64]]] = []
        for read, judgement in zip(suites, judgements, strict=True):
            if read.frame is None or read.frame.empty:
                continue
            for expectation in read.suite.expectations:
                try:
                    lines = _lines(read.frame, expectation)
                except (KeyError, TypeError, ValueError) as error:
                    judgement.errors[expectation.name] = _error_text(error)
                else:
                    pieces.append((judgement, expectation.name, lines))
        if pieces:
            stacked = np.concatenate([lines for _, _, lines in pieces])
            owners = np.repeat(np.arange(len(pieces)), [len(lines) for _, _, lines in pieces])
            frame = pd.DataFrame(stacked[:, 1:], columns=["value", "low", "high"])
            for number in self._unexpected(frame):
                judgement, name, _ = pieces[owners[number]]
                judgement.unexpected.setdefault(name, []).append(int(stacked[number, 0]))
        return judgements

    def _unexpected(self, lines: pd.DataFrame) -> list[int]:
        """Numbers of the lines whose value is not between its bounds, in order."""
        answer = self._batches.get_batch(batch_parameters={"dataframe": lines}).validate(
            self._expectations, result_format={"result_format": "COMPLETE"}
        )
        numbers: set[int] = set()
        for one in answer.results:
            found = one.result.get("unexpected_index_list") or ()
            assert one.success or found, f"no gate without a verdict: {one.exception_info}"
            numbers.update(found)
        return sorted(numbers)


def _lines(frame: pd.DataFrame, expectation: Expectation) -> NDArray[np.float64]:
    """A line per row of the frame: its number, a value, and the two bounds it must be between.

    Raises KeyError for a column that is not there, ValueError or TypeError for one of no numbers.
    A frame for each of a hundred expectations took four times as long.
    """
    import numpy as np  # noqa: PLC0415

    value = _numbers(frame, expectation.column)
    low: NDArray[np.float64] | float = -math.inf
    high: NDArray[np.float64] | float = math.inf
    if isinstance(expectation, Pair):
        low = _numbers(frame, expectation.other)
        high = low if expectation.relation == "equal" else high
    else:
        low = low if expectation.minimum is None else expectation.minimum
        high = high if expectation.maximum is None else expectation.maximum
    columns = np.broadcast_arrays(np.arange(len(frame), dtype=np.float64), value, low, high)
    lines = np.column_stack(columns)
    may_be_null = isinstance(expectation, Bound) and expectation.may_be_null
    return lines[~np.isnan(value)] if may_be_null else lines


def _numbers(frame: pd.DataFrame, column: str) -> NDArray[np.float64]:
    import pandas as pd  # noqa: PLC0415

    return pd.to_numeric(frame[column]).to_numpy(dtype="float64")


def _error_text(error: Exception) -> str:
    return f"there is no column {error}" if isinstance(error, KeyError) else str(error)
