"""Every statement that reports are counted by, for whoever runs them elsewhere.

They read tables `events`, `counts` and `items` with the columns of the landed files (`landing.py`)
and the `date` of their folder, between the parameters `first_day` and `last_day`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipelines.export.dialects import Dialect, translated
from pipelines.export.funnels import next_actions_sql, reached_sql, seen_sql
from pipelines.export.reports import counted_file, ranked_file, ranking_sql, report_sql
from pipelines.ga4.extract.funnel_reports import event_names
from pipelines.ga4.report_spec import ReportKind, ReportSpec


def statements(reports: Iterable[ReportSpec], dialect: Dialect) -> Iterator[tuple[str, str]]:
    """(what it counts, SQL) of all reports that are counted from an export."""
    for spec in reports:
        for part, sql in _statements(spec):
            yield " ".join((spec.name, *part)), translated(sql, dialect)


def _statements(spec: ReportSpec) -> Iterator[tuple[tuple[str, ...], str]]:
    match spec.kind:
        case ReportKind.DAILY | ReportKind.USERS_WINDOW:
            if spec.top is not None:
                yield ("values",), ranking_sql(spec, _rows(ranked_file(spec)))
            time = ("date",) if spec.kind.is_daily else ()
            for part in spec.parts:
                named = (*part.constants.values(), *(f"without {name}" for name in part.without))
                yield named, report_sql(spec, part, _rows(counted_file(spec, part)), time)
        case ReportKind.FUNNEL:
            yield ("events",), seen_sql(event_names(spec), _rows("counts"))
            for funnel in spec.funnels:
                for by_day in (False,) if funnel.is_lift else (False, True):
                    named = (funnel.name, "by day") if by_day else (funnel.name,)
                    yield named, reached_sql(funnel.steps, _rows("events"), by_day=by_day)
        case ReportKind.NEXT_ACTION:
            for funnel in spec.funnels:
                yield (funnel.name,), next_actions_sql(funnel.steps, _rows("events"))


def _rows(table: str) -> str:
    return f"(SELECT * FROM {table} WHERE date BETWEEN $first_day AND $last_day)"
