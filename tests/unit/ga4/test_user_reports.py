"""Users of whole windows: which windows, and that nothing is ever added up."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.config.tracking_plan import TrackingPlan
from pipelines.ga4.api_errors import AuditError
from pipelines.ga4.client import Ga4Client
from pipelines.ga4.date_windows import Period, each_day, newest_month, newest_week, trailing
from pipelines.ga4.extract.pull import Pull, pull
from pipelines.ga4.extract.user_reports import user_windows
from pipelines.ga4.report_catalog import ReportSpec, build_reports
from tests.support.protocol_server import Fault, Row

END = date(2026, 3, 4)  # a Wednesday
WINDOWS = {
    "7d": "2026-02-26/2026-03-04",
    "28d": "2026-02-05/2026-03-04",
    "week": "2026-02-23/2026-03-01",
    "month": "2026-02-01/2026-02-28",
}


def users_report() -> ReportSpec:
    reports = build_reports(TrackingPlan((), ()))
    return next(spec for spec in reports if spec.name == "users_window")


def users(window: str, total: int, active: int, **dimensions: str) -> Row:
    return {
        **dimensions, "~range": WINDOWS[window], "totalUsers": str(total),
        "activeUsers": str(active),
    }  # fmt: skip


def pulled(client: Ga4Client, end: date = END) -> Pull:
    return pull(client, "42", users_report(), end - timedelta(days=3), end)


def values(result: Pull) -> list[tuple]:
    table = result.rows.drop_columns(["property_id", "pulled_at", "pull_id"])
    return sorted(tuple(row.values()) for row in table.to_pylist())


@pytest.mark.parametrize(
    ("end", "week", "month"),
    [
        # Wednesday
        ("2026-03-04", ("2026-02-23", "2026-03-01"), ("2026-02-01", "2026-02-28")),
        # Sunday: this week is over
        ("2026-03-01", ("2026-02-23", "2026-03-01"), ("2026-02-01", "2026-02-28")),
        # the last day of a month, a Saturday: this month is over
        ("2026-02-28", ("2026-02-16", "2026-02-22"), ("2026-02-01", "2026-02-28")),
        # Monday, over the turn of the year
        ("2026-01-05", ("2025-12-29", "2026-01-04"), ("2025-12-01", "2025-12-31")),
        # leap year
        ("2024-02-29", ("2024-02-19", "2024-02-25"), ("2024-02-01", "2024-02-29")),
        ("2024-02-28", ("2024-02-19", "2024-02-25"), ("2024-01-01", "2024-01-31")),
    ],
)
def test_newest_week_and_month(end, week, month):
    day = date.fromisoformat(end)
    assert newest_week(day) == Period("week", *map(date.fromisoformat, week))
    assert newest_month(day) == Period("month", *map(date.fromisoformat, month))


@given(st.dates(date(2015, 9, 1), date(2099, 12, 31)))
def test_windows_are_whole_and_over(end):
    week, month = newest_week(end), newest_month(end)
    assert (week.start.isoweekday(), week.end.isoweekday()) == (1, 7)
    assert (week.end - week.start).days == 6
    assert timedelta(0) <= end - week.end < timedelta(days=7)
    assert month.start.day == 1
    assert (month.end + timedelta(days=1)).day == 1
    assert month.start.month == month.end.month
    assert timedelta(0) <= end - month.end < timedelta(days=31)
    for days in (1, 7, 28):
        window = trailing(days, end)
        assert window.name == f"{days}d"
        assert len(each_day(window.start, window.end)) == days


def test_every_combination_is_asked_for_by_itself(server, client):
    server.put(
        "42",
        [
            users("7d", 50, 45),
            users("28d", 150, 130),
            users("week", 60, 51),
            users("month", 140, 120),
            users("7d", 30, 30, eventName="view_item"),
            users("28d", 90, 88, eventName="view_item"),
            users("7d", 40, 36, deviceCategory="mobile"),
            users("7d", 12, 11, deviceCategory="desktop"),
            users("7d", 25, 25, eventName="view_item", deviceCategory="mobile"),
        ],
    )
    result = pulled(client)
    week, month = date(2026, 2, 23), date(2026, 2, 1)
    assert values(result) == [
        (date(2026, 2, 28), "month", month, "(all)", "(all)", 140, 120),
        (date(2026, 3, 1), "week", week, "(all)", "(all)", 60, 51),
        (END, "28d", date(2026, 2, 5), "(all)", "(all)", 150, 130),
        (END, "28d", date(2026, 2, 5), "view_item", "(all)", 90, 88),
        (END, "7d", date(2026, 2, 26), "(all)", "(all)", 50, 45),
        (END, "7d", date(2026, 2, 26), "(all)", "desktop", 12, 11),
        (END, "7d", date(2026, 2, 26), "(all)", "mobile", 40, 36),
        (END, "7d", date(2026, 2, 26), "view_item", "(all)", 30, 30),
        (END, "7d", date(2026, 2, 26), "view_item", "mobile", 25, 25),
    ]
    assert len(server.requests) == 4
    assert (result.pages, result.tokens) == (4, 16)
    assert result.partitions.to_pylist() == [
        {"date": END, "window_name": "7d"},
        {"date": END, "window_name": "28d"},
        {"date": date(2026, 3, 1), "window_name": "week"},
        {"date": date(2026, 2, 28), "window_name": "month"},
    ]
    assert result.other_share == 0.0


def test_equal_windows_are_asked_for_once(server, client):
    """On a Sunday the last seven days are the week."""
    sunday = date(2026, 3, 1)
    server.put(
        "42",
        [{"~range": "2026-02-23/2026-03-01", "totalUsers": "60", "activeUsers": "51"}],
    )
    result = pulled(client, sunday)
    assert [one.name for one in server.requests[0].date_ranges] == ["7d", "28d", "month"]
    assert values(result) == [
        (sunday, "7d", date(2026, 2, 23), "(all)", "(all)", 60, 51),
        (sunday, "week", date(2026, 2, 23), "(all)", "(all)", 60, 51),
    ]
    assert [one.name for one in user_windows(sunday)] == ["7d", "28d", "week", "month"]


def test_no_users_replace_what_was_there(server, client):
    server.put("42", [])
    result = pulled(client)
    assert result.rows.num_rows == 0
    assert result.rows.column_names == list(users_report().columns)
    assert result.partitions.num_rows == 4


def test_pages_of_windows_are_put_together(server, client):
    server.page_size = 2
    server.put(
        "42", [users(name, 10 + n, n, eventName=f"e{n}") for name in WINDOWS for n in (1, 2)]
    )
    result = pulled(client)
    assert result.rows.num_rows == 8
    assert result.pages == 4 + 3


def test_a_foreign_window_is_held_back(server, client):
    def rename(answer) -> None:
        answer.rows[0].dimension_values[-1].value = "date_range_7"

    server.put("42", [users("7d", 50, 45)])
    server.faults = [Fault(tamper=rename, match=lambda request: not request.dimensions)]
    with pytest.raises(AuditError, match=r"users_window.*date range date_range_7"):
        pulled(client)


def test_a_number_that_comes_twice_is_held_back(server, client):
    server.put("42", [users("7d", 50, 45), users("7d", 51, 45)])
    with pytest.raises(AuditError, match=r"\['7d'\] came 2 times"):
        pulled(client)


def test_restricted_users_are_unknown(server, client):
    def restrict(answer) -> None:
        restriction = answer.metadata.schema_restriction_response
        restriction.active_metric_restrictions.add(metric_name="totalUsers")

    server.put("42", [users("7d", 0, 45)])
    server.decorate = restrict
    result = pulled(client)
    assert values(result) == [(END, "7d", date(2026, 2, 26), "(all)", "(all)", None, 45)]
    assert result.flags.restricted_metrics == ("totalUsers",)


def test_an_event_called_all_is_an_event_like_any_other(server, client):
    """Whoever knows the measurement id can send one, also one that is called like our marker."""
    server.put(
        "42",
        [
            users("7d", 50, 45),
            users("7d", 3, 3, eventName="all"),
            users("7d", 2, 2, eventName="(all)"),
            users("7d", 1, 1, eventName="\\(all)"),
            users("7d", 4, 4, deviceCategory="all"),
        ],
    )
    found = {(event, device): total for *_, event, device, total, _ in values(pulled(client))}
    assert found == {
        ("(all)", "(all)"): 50, ("all", "(all)"): 3, ("\\(all)", "(all)"): 2,
        ("\\\\(all)", "(all)"): 1, ("(all)", "all"): 4,
    }  # fmt: skip
