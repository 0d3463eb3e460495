"""What every kind of report shares: whom is asked, about what, and the shape of what was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

import pyarrow as pa
from google.analytics.data_v1alpha import types as alpha
from google.analytics.data_v1beta import types as ga4

from pipelines.ga4.api_errors import Ga4Error
from pipelines.ga4.decode.encoded_answer import EncodedAnswer
from pipelines.ga4.decode.report_answer import Flags
from pipelines.ga4.exactness import missing_share
from pipelines.ga4.report_request import PAGE_ROWS
from pipelines.ga4.report_spec import ReportSpec

# A page of this size that is still too slow is not slow because of its size.
SMALLEST_PAGE_ROWS = 1_000


class DataApi(Protocol):
    """What a pull needs of the client; other answers are raw protobuf messages."""

    def run_report(self, request: ga4.RunReportRequest, *, what: str) -> EncodedAnswer:
        """One page of a report."""
        ...

    def run_funnel_report(self, request: alpha.RunFunnelReportRequest, *, what: str) -> Any:
        """A RunFunnelReportResponse of v1alpha."""
        ...

    def get_metadata(self, property_id: str) -> Any | None:
        """All fields of a property as Metadata; None where the server has no GetMetadata."""
        ...


@dataclass
class PageSize:
    """Rows to ask for in one page. It shrinks for the rest of a pull and never grows again."""

    rows: int = PAGE_ROWS

    def halve(self, asked: int, error: Ga4Error) -> None:
        """Ask for half of `asked` rows; raises `error` when that would be a very small page."""
        if asked <= SMALLEST_PAGE_ROWS:
            raise error
        self.rows = max(asked // 2, SMALLEST_PAGE_ROWS)


@dataclass(frozen=True)
class Ask:
    """One pull to be done: `spec` of a property over [start, end], both days included.

    `custom_dimensions`: registered event parameters, None where nobody knows them. `fields`: the
    answer of GetMetadata, where it has been read already. `held`: fingerprint of a request →
    bytes of the rows that answered it.
    """

    client: DataApi
    property_id: str
    spec: ReportSpec
    start: date
    end: date
    custom_dimensions: frozenset[str] | None = None
    fields: Any | None = None
    page_size: PageSize = field(default_factory=PageSize)
    held: dict[str, int] = field(default_factory=dict)

    @property
    def what(self) -> str:
        """The report in messages of errors."""
        return f"the report {self.spec.name}"


@dataclass(frozen=True)
class Answer:
    """All pages of one request, audited: `rows` as `decode` gives them.

    `counted`: column of a counted metric → the server's total, and the sum of its rows; nothing
    where the server sent no total, or scaled what it counted.
    """

    rows: pa.Table
    flags: Flags = field(default_factory=Flags)
    pages: int = 1
    tokens: int = 0
    quota: dict[str, tuple[int, int]] = field(default_factory=dict)
    request_hash: str = ""
    counted: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def is_exhaustive(self) -> bool:
        """Whether what has no row is not there: nothing says that GA4 left rows out."""
        flags = self.flags
        has_left_out = (
            flags.is_sampled or flags.is_thresholded or flags.has_other_row or flags.truncation
            or flags.restricted_metrics
        )  # fmt: skip
        return not (has_left_out or any(missing_share(*told) for told in self.counted.values()))


@dataclass(frozen=True)
class Found:
    """What the requests of one pull brought.

    `rows`: `date` (date32) and the spec's columns, without property and stamps. `partitions`:
    what the rows replace: `date`, and `window_name` for reports of whole windows. `answers`:
    the requests behind them. `quarantined`: rows without a readable date, as they came.
    `skipped`: parts that were not asked for, as a parameter is not registered; `refused`: parts
    that GA4 would not answer. `notes`: sentences about what was left out for another reason.
    `version`: of what was asked for, where that is not the same in every pull of a spec.
    """

    rows: pa.Table
    partitions: pa.Table
    answers: tuple[Answer, ...]
    quarantined: pa.Table | None = None
    skipped: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    version: int | None = None


def no_rows(spec: ReportSpec) -> pa.Table:
    """An empty table with the columns of `Found.rows`."""
    kinds = {
        "VARCHAR": pa.string(), "DATE": pa.date32(), "INTEGER": pa.int32(), "BIGINT": pa.int64(),
        "DOUBLE": pa.float64(), "BOOLEAN": pa.bool_(),
    }  # fmt: skip
    return pa.schema(
        (name, kinds[spec.columns[name].removesuffix(" NOT NULL")]) for name in spec.own_columns
    ).empty_table()
