"""A backfill is planned first, and it is one backfill until it is finished."""

from datetime import UTC, date, datetime, timedelta
from shutil import copyfile

import grpc
import pytest

from pipelines.config.settings import Property
from pipelines.errors import ConfigError
from pipelines.ga4.api_errors import PropertyError
from pipelines.ga4.client import Profile
from pipelines.ga4.report_catalog import Metric, ReportKind, ReportSpec
from pipelines.ingest.backfill import (
    check_window,
    close_backfill,
    done_days,
    estimate_tokens,
    note_plan,
    open_backfill,
    plan_tokens,
    published_prices,
    stored_prices,
)
from pipelines.ingest.day_window import FIRST_DAY, DayWindow
from pipelines.ingest.paid_prices import PaidPrice
from pipelines.ingest.run_window import newest_day
from pipelines.publishing.versions import point_current_at
from pipelines.warehouse.connect import build_database
from tests.support.night import ALL_REPORTS, BY_DEVICE, REPORTS, WINDOW, Night
from tests.support.protocol_server import Fault, asks_for, names

# 60 days: two stretches of 28 and one of 4.
LONG = DayWindow(date(2026, 1, 1), date(2026, 3, 1))
PRICE = 4  # of every request, says the server
DEVICE = next(spec for spec in REPORTS if spec.name == "sessions_by_device")
METADATA = ReportSpec("metadata", (), (), (), is_required=False, kind=ReportKind.METADATA)


def reports(night: Night, *specs: ReportSpec) -> list:
    return [(night.client().profile("42", WINDOW.end), spec) for spec in specs]


def publish(night: Night) -> None:
    """The build database as a version."""
    folder = night.settings.published_dir / "versions" / "20260303T050000.000000Z"
    folder.mkdir(parents=True)
    copyfile(night.settings.build_db, folder / "sluice.duckdb")
    point_current_at(night.settings.published_dir, folder.name)


def opened(night: Night, window: DayWindow = LONG) -> str:
    with build_database(night.settings.build_db) as connection:
        return open_backfill(connection, night.settings, window)


def test_a_plan_counts_the_price_of_every_stretch(night):
    plan = plan_tokens(night.client(), reports(night, DEVICE), LONG, set())
    assert (plan.items, plan.done_items) == (3, 0)
    assert (plan.tokens, plan.by_report) == (3 * PRICE, {"sessions_by_device": 3 * PRICE})
    # One of 28 days and one of four have their own price.
    assert plan.probe_tokens == 2 * PRICE
    assert plan.hours == 1
    probes = night.server.calls("date", "deviceCategory")
    assert [(one.limit, one.date_ranges[0].start_date, one.date_ranges[0].end_date)
            for one in probes] == [
        (1, "2026-01-01", "2026-01-04"), (1, "2026-02-02", "2026-03-01"),
    ]  # fmt: skip


def test_pages_are_counted_before_they_are_pulled(night):
    def million(answer) -> None:
        answer.row_count = 1_000_000

    night.server.faults = [Fault(tamper=million, match=BY_DEVICE)]
    plan = plan_tokens(night.client(), reports(night, DEVICE), LONG, set())
    assert plan.tokens == 3 * 4 * PRICE
    assert plan.probe_tokens == 2 * PRICE


def test_what_was_pulled_before_is_not_asked_for_again(night):
    items = next(spec for spec in REPORTS if spec.name == "items")
    night.run(LONG, reports=(DEVICE,))
    publish(night)
    asked = len(night.server.requests)
    # One request of 60 days for four tokens: two for 28 days, one for four.
    plan = estimate_tokens(night.settings, (DEVICE, items, METADATA), LONG)
    assert plan.by_report == {"sessions_by_device": 2 + 2 + 1, "items": 0, "metadata": 0}
    assert (plan.items, plan.unpriced_items, plan.probe_tokens) == (7, 3, 0)
    assert len(night.server.requests) == asked
    paid = published_prices(night.settings)
    assert paid == stored_prices(night.settings)
    measured = plan_tokens(night.client(), reports(night, DEVICE, items), LONG, set(), paid)
    assert measured.by_report == {"sessions_by_device": 5, "items": 3 * PRICE}
    assert (measured.unpriced_items, measured.probe_tokens) == (0, 2 * PRICE)


def test_before_the_first_pull_nothing_is_known(night):
    plan = estimate_tokens(night.settings, (DEVICE,), LONG)
    assert (plan.items, plan.unpriced_items, plan.tokens) == (3, 3, 0)
    assert night.server.requests == []


def test_nothing_is_made_where_only_a_price_is_looked_for(night):
    assert published_prices(night.settings) == {}
    assert not night.settings.build_db.exists()


@pytest.mark.parametrize(
    ("tokens", "days", "end"),
    # A standard property has 200,000 a day: what needs more has to be begun again.
    [(11_200, 1, None), (11_201, 1, 14), (11_200 * 5, 1, 17), (200_000, 1, 30), (200_001, 2, None)],
)
def test_a_plan_says_when_it_would_end(night, tokens, days, end):
    def dear(answer) -> None:
        answer.property_quota.tokens_per_day.consumed = tokens

    night.server.faults = [Fault(tamper=dear)]
    plan = plan_tokens(night.client(), reports(night, DEVICE), WINDOW, set())
    # What is left of this hour is the first.
    expected = datetime(2026, 3, 3, tzinfo=UTC) + timedelta(hours=end) if end else None
    assert plan.ends_by(datetime(2026, 3, 3, 12, 10, tzinfo=UTC)) == expected
    assert plan.days == days


def test_hours_leave_the_reserve_to_others(night):
    def dear(answer) -> None:
        answer.property_quota.tokens_per_day.consumed = 5_000

    night.server.faults = [Fault(tamper=dear)]
    # 15,000 tokens at 80 % of 14,000 an hour.
    assert plan_tokens(night.client(), reports(night, DEVICE), LONG, set()).hours == 2


def test_every_property_has_hours_of_its_own(night):
    """Two shops of 15,000 tokens each take the two hours of one."""
    night.configure(Property(id="42"), Property(id="43"))
    profiles = [Profile(one.id, "UTC", "EUR", frozenset()) for one in night.settings.properties]
    paid = {(one.property_id, DEVICE.name): PaidPrice(7_000, 28) for one in profiles}
    plan = plan_tokens(None, [(one, DEVICE) for one in profiles], LONG, set(), paid)
    assert (plan.tokens, plan.hours) == (30_000, 2)


def test_finished_pulls_are_planned_as_done(night):
    stretch = [date(2026, 2, 2) + timedelta(days=n) for n in range(28)]
    done = {("42", "sessions_by_device", day) for day in stretch}
    plan = plan_tokens(night.client(), reports(night, DEVICE), LONG, done)
    assert (plan.items, plan.done_items, plan.tokens) == (2, 1, 2 * PRICE)


def test_a_refused_report_costs_nothing_and_the_plan_goes_on(night):
    night.server.faults = [Fault(grpc.StatusCode.INVALID_ARGUMENT, "no", match=BY_DEVICE)]
    items = next(spec for spec in REPORTS if spec.name == "items")
    plan = plan_tokens(night.client(), reports(night, DEVICE, items), LONG, set())
    assert plan.by_report == {"sessions_by_device": 0, "items": 3 * PRICE}


@pytest.mark.parametrize("code", [grpc.StatusCode.INTERNAL, grpc.StatusCode.PERMISSION_DENIED])
def test_an_optional_report_that_fails_is_no_reason_not_to_plan(night, code):
    items = next(spec for spec in REPORTS if spec.name == "items")
    asked = reports(night, items, DEVICE)
    night.server.faults = [Fault(code, "no", match=asks_for("date", "itemId", "itemName"))]
    plan = plan_tokens(night.client(), asked, WINDOW, set())
    assert plan.by_report == {"items": 0, "sessions_by_device": PRICE}


def test_a_property_that_may_not_be_read_cannot_be_planned(night):
    asked = reports(night, DEVICE)
    night.server.faults = [Fault(grpc.StatusCode.PERMISSION_DENIED, "no")]
    with pytest.raises(PropertyError):
        plan_tokens(night.client(), asked, LONG, set())


def test_funnels_and_metadata_cost_no_core_tokens(night):
    funnel = ReportSpec("funnel", (), (Metric("activeUsers"),), (), kind=ReportKind.FUNNEL)
    plan = plan_tokens(night.client(), reports(night, funnel, METADATA), LONG, set())
    # Funnels by day in three stretches, metadata once.
    assert (plan.items, plan.tokens, plan.probe_tokens) == (4, 0, 0)


def test_the_plan_of_a_backfill_is_what_it_costs(night):
    """Every report of the demo's plan on the protocol server, day by day."""
    night.server.custom_dimensions = ("percent_scrolled",)
    specs = tuple(spec for spec in ALL_REPORTS if spec.kind in {"daily", "users_window"})
    plan = plan_tokens(night.client(), reports(night, *specs), LONG, set())
    backfill_id = opened(night)
    note_plan(night.settings, backfill_id, plan)
    night.run(LONG, reports=specs, backfill_id=backfill_id)
    assert close_backfill(night.settings, backfill_id) == plan.tokens
    assert night.query(
        "select status, planned_tokens, used_tokens, finished_at is null from ops.backfills"
    ) == [("finished", plan.tokens, plan.tokens, False)]


def test_an_unfinished_backfill_is_taken_up_again(night):
    first = opened(night)
    assert opened(night) == first
    assert opened(night, WINDOW) != first
    night.configure(Property(id="42"), Property(id="43"))
    other = opened(night)
    assert other != first
    # The order in sluice.yml does not matter.
    night.configure(Property(id="43"), Property(id="42"))
    assert opened(night) == other


def test_a_finished_backfill_is_begun_anew(night):
    first = opened(night)
    close_backfill(night.settings, first)
    second = opened(night)
    assert second != first
    assert night.query(f"select status from ops.backfills where backfill_id = '{second}'") == [
        ("running",)
    ]


def test_the_first_plan_stays_after_a_kill(night):
    backfill_id = opened(night, WINDOW)
    asked = reports(night, DEVICE)
    note_plan(night.settings, backfill_id, plan_tokens(night.client(), asked, WINDOW, set()))
    night.run(reports=(DEVICE,), backfill_id=backfill_id)
    done = done_days(night.settings, backfill_id)
    assert done == {("42", "sessions_by_device", day) for day in (WINDOW.start, WINDOW.end)}
    again = plan_tokens(night.client(), asked, WINDOW, done)
    assert (again.items, again.done_items, again.tokens) == (0, 1, 0)
    note_plan(night.settings, backfill_id, again)
    assert night.query("select planned_tokens from ops.backfills") == [(PRICE,)]


def test_what_is_finished_is_not_measured_again(night):
    done = {("42", "sessions_by_device", day) for day in (WINDOW.start, WINDOW.end)}
    plan = plan_tokens(night.client(), reports(night, DEVICE), WINDOW, done)
    assert plan.probe_tokens == 0
    assert not [one for one in night.server.requests if names(one.dimensions)]


def test_top_values_are_planned_with_their_ranking(night):
    landing = ReportSpec("by_page", ("landingPage",), (Metric("sessions"),), top=200)
    row = {"landingPage": "/", "sessions": "5"}
    night.server.add("42", [row, {**row, "date": "20260301"}])
    plan = plan_tokens(night.client(), reports(night, landing), LONG, set())
    assert plan.tokens == 3 * 2 * PRICE
    assert night.server.calls("landingPage")
    assert [asks_for("date", "landingPage")(one) for one in night.server.requests[-1:]] == [True]


def test_days_that_are_not_over_are_refused(night):
    night.configure(Property(id="42", time_zone="Europe/Berlin"))
    newest = newest_day(night.settings)
    with pytest.raises(ConfigError, match=f"newest complete day is {newest}"):
        check_window(night.settings, LONG.start, newest + timedelta(days=1))
    with pytest.raises(ConfigError, match="after its end"):
        check_window(night.settings, LONG.end, LONG.start)
    assert check_window(night.settings, date(2019, 1, 1), LONG.end) == DayWindow(
        FIRST_DAY, LONG.end
    )
