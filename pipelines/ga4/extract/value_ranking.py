"""Which values of a dimension are worth asking for: those with the highest numbers."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.ga4.date_windows import Period
from pipelines.ga4.decode.audit import audited
from pipelines.ga4.extract.answer_pages import all_pages
from pipelines.ga4.report_query import Answer, Ask
from pipelines.ga4.report_request import PAGE_ROWS, report_request
from pipelines.ga4.report_spec import Metric, Part, ReportKind, ReportSpec, snake_case


def top_values(
    ask: Ask,
    dimension: str,
    metric: Metric,
    period: Period,
    *,
    top: int = PAGE_ROWS,
    among: Sequence[str] = (),
) -> tuple[list[str], Answer]:
    """The `top` values of `dimension` with most of `metric` in `period`, and the answer.

    Equal numbers are in the order of their texts, so that equal data gives equal values.
    `among`: only values of this list.
    """
    spec = ReportSpec(ask.spec.name, (dimension,), (metric,), kind=ReportKind.RANKING, top=top)
    request = report_request(ask.property_id, spec, Part(), [period], among)
    answer = audited(ask, lambda: all_pages(ask, request, spec, Part()))
    return answer.rows[snake_case(dimension)].to_pylist(), answer
