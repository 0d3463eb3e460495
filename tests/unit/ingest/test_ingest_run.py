"""A night's ingestion over the wire: server → client → audit → DuckDB, several reports at once."""

import json
import logging
from datetime import UTC, date, datetime, timedelta

import grpc
import pytest

from pipelines.clock import pin_clock, pinned_clock
from pipelines.config.settings import Property
from pipelines.config.tracking_plan import Funnel, FunnelStep, MicroConversion, TrackingPlan
from pipelines.errors import ConfigError
from pipelines.ga4.api_errors import QuotaError
from pipelines.ga4.report_catalog import ReportKind, ReportSpec, build_reports
from pipelines.ingest.day_window import FIRST_DAY, DayWindow
from pipelines.ingest.ingest_run import Outcome
from pipelines.ingest.property_access import profile_properties
from tests.support.night import BY_DEVICE, MOBILE_AND_DESKTOP, NOON, REPORTS, SHOP, WINDOW, sessions
from tests.support.protocol_funnel import Hit
from tests.support.protocol_server import Fault, move_day, names

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("kept_night")]

Code = grpc.StatusCode


def test_every_report_arrives_in_its_table(night):
    night.server.custom_dimensions = ("percent_scrolled",)
    outcome = night.run()
    assert outcome == Outcome(
        {
            "sessions_by_all": 2, "events_by_all": 2, "micro_by_all": 2, "sessions_by_device": 3,
            "events_by_device": 2, "micro_by_device": 0, "items": 2,
        },
        {},
    )  # fmt: skip
    assert night.by_device() == MOBILE_AND_DESKTOP
    assert night.query(
        "select date, sessions, engaged_sessions, screen_page_views, user_engagement_duration, "
        "transactions, purchase_revenue from raw.ga4_sessions_by_all order by date"
    ) == [
        (date(2026, 3, 1), 100, 50, 300, 12.5, 1, 19.9),
        (date(2026, 3, 2), 110, 55, 330, 12.5, 1, 19.9),
    ]
    assert night.query("select event_name, event_count from raw.ga4_events_by_all order by 1") == [
        ("it's 100% \"video\"", 14), ("purchase", 10),
    ]  # fmt: skip
    assert night.query("select micro_key, date, sessions from raw.ga4_micro_by_all order by 1") == [
        ("scroll_50", date(2026, 3, 2), 4), ("video", date(2026, 3, 2), 7),
    ]  # fmt: skip
    assert night.query("select item_id, item_name, items_viewed from raw.ga4_items order by 3") == [
        ("SKU (not set)", "(not set)", 1), ("SKU Tee", "Tee", 3),
    ]  # fmt: skip


def test_ops_remember_the_run_its_pulls_and_the_property(night):
    night.run()
    assert night.query(
        "select run_id, command, window_start, window_end, status, finished_at from ops.runs"
    ) == [("run1", "test", WINDOW.start, WINDOW.end, "running", None)]
    assert night.query(
        "select property_id, name, time_zone, currency, is_active from ops.properties"
    ) == [("42", "Main", "Europe/Berlin", "EUR", True)]
    # Seven reports × two days, each loaded, and each with the count of its own day.
    assert night.query(
        "select status, count(*), count(distinct report) from ops.pulls group by 1"
    ) == [("loaded", 14, 7)]
    assert night.query(
        "select date, row_count from ops.pulls where report = 'sessions_by_device' order by date"
    ) == [(date(2026, 3, 1), 2), (date(2026, 3, 2), 1)]
    ((totals,),) = night.query(
        "select totals from ops.pulls where report = 'events_by_device' and date = '2026-03-01'"
    )
    assert json.loads(totals) == {"event_count": 10, "sessions": 5}
    assert night.query("select distinct quota, remaining from ops.quota order by 1") == [
        ("core_tokens_per_day", 199_000), ("core_tokens_per_hour", 39_000),
    ]  # fmt: skip


def test_the_same_night_twice_changes_no_row(night):
    night.run()
    tables = [spec.table for spec in REPORTS]
    select = "select * exclude (pulled_at, pull_id) from raw.{} order by all"
    before = [night.query(select.format(table)) for table in tables]
    assert sum(len(rows) for rows in before) == 13
    night.server.shuffle, night.server.page_size, night.server.is_reversed = 3, 1, True
    night.run()
    assert [night.query(select.format(table)) for table in tables] == before


def test_a_later_night_replaces_only_its_own_days(night):
    night.run()
    # Everything changes at the source, but only 2 March is pulled again.
    night.server.put("42", [sessions(1, "tablet", 1), sessions(2, "tablet", 5)])
    night.run(DayWindow(WINDOW.end, WINDOW.end))
    assert night.by_device() == [*MOBILE_AND_DESKTOP[:2], (date(2026, 3, 2), "tablet", 5)]


def test_an_empty_source_empties_the_days(night):
    night.run()
    night.server.put("42", [])
    night.run()
    assert night.by_device() == []
    assert night.query("select distinct row_count from ops.pulls where run_id = 'run2'") == [(0,)]


def test_properties_do_not_mix(night):
    night.server.put("43", [sessions(1, "mobile", 7)])
    night.configure(Property(id="42"), Property(id="43"))
    night.run()
    assert night.by_device() == MOBILE_AND_DESKTOP
    assert night.by_device("43") == [(date(2026, 3, 1), "mobile", 7)]
    night.server.put("43", [])
    night.run()
    assert night.by_device() == MOBILE_AND_DESKTOP
    assert night.by_device("43") == []


def test_rows_without_a_date_go_to_quarantine(night):
    night.server.faults = [Fault(tamper=move_day("(other)"), match=BY_DEVICE)]
    assert night.run().rows["sessions_by_device"] == 2
    assert night.by_device() == MOBILE_AND_DESKTOP[1:]
    ((report, text, row),) = night.query("select report, date_text, row_json from ops.quarantine")
    assert (report, text) == ("sessions_by_device", "(other)")
    assert json.loads(row)["device_category"] == "desktop"


def test_without_the_parameter_its_keys_are_not_asked_for(night):
    night.server.custom_dimensions = ("size",)
    assert night.run().rows["micro_by_all"] == 1
    fields = {
        one.filter.field_name
        for request in night.server.requests
        for one in request.dimension_filter.and_group.expressions
    }
    assert fields == {"eventName"}
    assert night.query("select micro_key from raw.ga4_micro_by_all") == [("video",)]
    ((message,),) = night.query(
        "select distinct message from ops.pulls where report = 'micro_by_all'"
    )
    assert "scroll_50" in message


@pytest.mark.parametrize(
    "code",
    [Code.UNIMPLEMENTED, Code.PERMISSION_DENIED, Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED],
)
@pytest.mark.parametrize("is_registered", [True, False])
def test_without_a_list_of_fields_only_an_answer_tells_what_is_registered(
    night, code, is_registered
):
    """The list fails in the first night, and for ever: every key is asked for, each day once."""
    words = "Field customEvent:percent_scrolled is not a valid dimension."
    refusal = Fault(
        Code.INVALID_ARGUMENT, words, match=lambda one: "customEvent" in str(one.dimension_filter)
    )
    night.server.custom_dimensions, night.server.metadata_fault = None, code
    night.server.faults = [] if is_registered else [refusal]
    first = night.run()
    assert (first.problems, first.failures) == ({}, {})
    found = night.query("select micro_key, sessions from raw.ga4_micro_by_all order by 1")
    assert found == [*([("scroll_50", 4)] if is_registered else []), ("video", 7)]
    messages = night.query(
        "select distinct message from ops.pulls where report = 'micro_by_all' and status = 'loaded'"
    )
    assert len(messages) == 1
    assert "Register" not in messages[0][0]
    assert (words in messages[0][0]) is not is_registered
    asked = len(night.server.requests)
    night.run(DayWindow(WINDOW.end, WINDOW.end))
    starts = {
        one.date_ranges[0].start_date
        for one in night.server.requests[asked:]
        if "date" in names(one.dimensions)
    }
    assert starts == {"2026-03-02"}


@pytest.mark.parametrize(
    ("zone", "newest"),
    [
        ("Pacific/Auckland", date(2026, 3, 2)),
        ("America/Los_Angeles", date(2026, 3, 1)),
        ("UTC", date(2026, 3, 1)),
    ],
)
def test_a_day_that_is_not_over_for_the_property_is_refused(night, zone, newest):
    night.at(NOON)
    night.server.time_zone = zone
    night.run(DayWindow(newest, newest))
    today = newest + timedelta(days=1)
    with pytest.raises(ConfigError) as caught:
        night.run(DayWindow(newest, today))
    for word in (f"{today} is not over yet in {zone}", "property 42", f"--date {newest}"):
        assert word in str(caught.value)
    assert night.query("select run_id from ops.runs") == [("run1",)]


def test_a_real_property_ends_the_demo_s_time(night, caplog):
    """Its night is stamped with the real time, and so is what comes after it."""
    oldest = DayWindow(FIRST_DAY, FIRST_DAY)
    pin_clock(night.settings.home, datetime(2990, 1, 1, tzinfo=UTC), ["100000001"])
    with caplog.at_level(logging.INFO, "sluice"):
        night.run(oldest)
    assert f"{night.settings.home} was the demo's home" in caplog.text
    assert pinned_clock(night.settings.home) is None
    assert night.query("select count(*) > 0, max(pulled_at) < '2990-01-01' from ops.pulls") == [
        (True, True)
    ]
    night.run(oldest)
    assert caplog.text.count("the demo's home") == 1


def test_everything_is_stamped_by_the_home_s_clock(night):
    # Nobody may see 43, which is held back.
    night.configure(Property(id="42"), Property(id="43"))
    night.run()
    for stamp in (
        "pulls.pulled_at",
        "quota.read_at",
        "runs.started_at",
        "properties.checked_at",
        "held_back.held_back_at",
        "field_checks.checked_on",
    ):
        table, column = stamp.split(".")
        found = night.query(f"select distinct {column}::date from ops.{table}")
        assert found == [(date(2026, 3, 4),)], stamp


def test_the_configured_zone_wins_over_the_server(night):
    # 2026-03-02 12:00 UTC: 3 March 01:00 in Auckland, 2 March in Los Angeles.
    night.at(NOON)
    night.server.time_zone = "America/Los_Angeles"
    with pytest.raises(ConfigError, match="America/Los_Angeles"):
        night.run()
    night.configure(Property(id="42", time_zone="Pacific/Auckland"))
    night.run()
    assert night.query("select time_zone from ops.properties") == [("Pacific/Auckland",)]


def test_without_properties_nothing_can_be_asked(night):
    night.configure()
    with pytest.raises(ConfigError, match="No GA4 property is configured"):
        profile_properties(night.settings, night.client())


def test_of_a_property_that_is_read_from_an_export_nobody_is_asked(night):
    item = Property(id="7", source="export", path="x", time_zone="Europe/Paris", currency="EUR")
    night.configure(item)
    (profile,), failures = profile_properties(night.settings, None)
    assert (profile.property_id, profile.time_zone, profile.currency, profile.is_asked) == (
        "7", "Europe/Paris", "EUR", False,
    )  # fmt: skip
    assert failures == {} and night.server.requests == []


def test_a_backfill_pulls_nothing_twice_that_was_finished(night):
    night.run(backfill_id="b1")
    asked = len(night.server.calls("date", "deviceCategory"))
    assert asked > 0
    assert night.query("select distinct run_id, status from ops.pulls") == [("b1", "loaded")]
    assert night.run(backfill_id="b1").rows == {}
    assert len(night.server.calls("date", "deviceCategory")) == asked
    assert night.by_device() == MOBILE_AND_DESKTOP
    # Another backfill is another matter.
    assert night.run(backfill_id="b2").rows["sessions_by_device"] == 3


def test_a_backfill_goes_on_where_it_failed(night):
    night.server.faults = [Fault(Code.RESOURCE_EXHAUSTED, "Exhausted tokens", match=BY_DEVICE)]
    with pytest.raises(QuotaError):
        night.run(backfill_id="b1")
    night.server.faults = []
    done = {
        report
        for (report,) in night.query("select distinct report from ops.pulls where status='loaded'")
    }
    rows = night.run(backfill_id="b1").rows
    assert "sessions_by_device" in rows
    assert not done & rows.keys()
    assert done | rows.keys() == {spec.name for spec in REPORTS}


def test_fields_are_checked_once_a_day(night):
    night.server.custom_dimensions = ("percent_scrolled",)
    night.server.incompatible = ()
    night.run()
    # micro_by_all, micro_by_device and items: of a required report only its answer is final.
    assert len(night.server.checks) == 3
    checks = "select is_ok, message, count(*) from ops.field_checks group by all"
    assert night.query(checks) == [(True, "", 3)]
    night.run()
    assert len(night.server.checks) == 3


@pytest.mark.parametrize("code", [Code.INVALID_ARGUMENT, Code.INTERNAL, Code.DEADLINE_EXCEEDED])
def test_checks_that_fail_by_themselves_keep_no_report_away(night, code, caplog):
    caplog.set_level(logging.INFO, "sluice")
    night.server.custom_dimensions, night.server.compatibility_fault = ("percent_scrolled",), code
    outcome = night.run()
    assert (outcome.problems, outcome.failures, outcome.ended) == ({}, {}, {})
    assert outcome.rows["items"] == 2
    assert "the report items of property 42 go together is unknown" in caplog.text
    # It was asked for, so nothing says the contrary, nor what to do about it.
    assert "not asked for" not in caplog.text
    assert "run the same command again" not in caplog.text
    # Nobody could say: the next run asks again.
    assert night.query("select * from ops.field_checks") == []


def test_a_required_report_is_asked_for_whatever_is_thought_of_its_fields(night):
    night.server.custom_dimensions = ("percent_scrolled",)
    night.server.unknown, night.server.incompatible = ("engagedSessions",), ("engagedSessions",)
    assert night.run().problems == {}
    assert night.by_device() == MOBILE_AND_DESKTOP


def test_what_the_server_does_not_tell_any_more_is_as_it_was(night):
    """A list of fields that fails, and answers without zone and currency."""
    night.server.custom_dimensions = ("percent_scrolled",)
    assert night.run().rows["micro_by_all"] == 2
    night.server.custom_dimensions, night.server.metadata_fault = None, Code.INTERNAL
    night.server.time_zone = night.server.currency = ""
    outcome = night.run()
    assert (outcome.rows["micro_by_all"], outcome.problems, outcome.failures) == (2, {}, {})
    assert night.query("select time_zone, currency, custom_dimensions from ops.properties") == [
        ("Europe/Berlin", "EUR", '["percent_scrolled"]')
    ]
    assert night.query("select * from ops.property_changes") == []


@pytest.mark.parametrize("habit", ["unknown", "incompatible"])
def test_a_report_whose_fields_do_not_go_is_not_asked_for(night, habit):
    night.server.custom_dimensions = ("percent_scrolled",)
    setattr(night.server, habit, ("itemRevenue",))
    outcome = night.run()
    assert "itemRevenue" in outcome.problems["items"]
    assert night.server.calls("date", "itemId", "itemName") == []
    # It stands with the days that it should have brought.
    assert night.query(
        "select date, status, message from ops.pulls where report = 'items' order by date"
    ) == [(day, "refused", outcome.problems["items"]) for day in (WINDOW.start, WINDOW.end)]
    assert night.query("select report from ops.field_checks where not is_ok") == [("items",)]
    assert night.by_device() == MOBILE_AND_DESKTOP
    # The next run of the same day knows it without asking.
    setattr(night.server, habit, () if habit == "unknown" else None)
    assert "items" in night.run().problems


CART = Funnel(
    "cart",
    (
        FunnelStep(0, None),
        FunnelStep(1, MicroConversion("cart_view", ("view_cart",), ()), is_optional=True),
        FunnelStep(2, MicroConversion("purchase", ("purchase",), ())),
    ),
)


def fold(answer) -> None:
    answer.metadata.data_loss_from_other_row = True


@pytest.mark.parametrize(
    ("decorate", "listed_later", "steps"),
    [
        # Nobody could say that nobody views the cart: it was a step until somebody could.
        (fold, ("purchase",), [3, 2, 2]),
        # The first list lacked an event that was sent, and said nothing of it.
        (lambda answer: None, ("purchase", "view_cart"), [2, 3, 3]),
    ],
    ids=["folded", "short"],
)
def test_older_days_are_asked_for_again_when_the_steps_are_known(
    night, decorate, listed_later, steps
):
    """1 and 2 March in the first night, 3 and 4 March in the second; no day a third time."""
    night.server.funnels.hits = [
        Hit("ann", f"2026-03-0{day}", name)
        for day in (1, 2, 3, 4)
        for name in ("session_start", "view_cart", "purchase")
    ]
    spec = next(one for one in build_reports(TrackingPlan((), (), (CART,))) if one.kind == "funnel")
    later = DayWindow(date(2026, 3, 3), date(2026, 3, 4))
    nights = ((WINDOW, ("purchase",)), (later, listed_later), (later, listed_later))
    asked: list[list[tuple[int, str]]] = []
    for number, (window, events) in enumerate(nights):
        night.at(datetime(2026, 3, 10 + number, 8, tzinfo=UTC))
        night.server.decorate = decorate if number == 0 else lambda answer: None
        night.server.put("42", [*SHOP, *({"eventName": one, "eventCount": "5"} for one in events)])
        before = len(night.server.funnels.requests)
        assert night.run(window, reports=(spec,)).problems == {}
        asked.append(
            [
                (len(one.funnel.steps), one.date_ranges[-1].name)
                for one in night.server.funnels.requests[before:]
            ]
        )
    assert asked == [
        [(steps[0], "2026-03-02")],
        [(steps[1], "2026-03-04"), (steps[1], "2026-03-02")],
        [(steps[2], "2026-03-04")],
    ]


def test_a_field_that_comes_is_noted(night):
    snapshot = ReportSpec("metadata", (), (), (), is_required=False, kind=ReportKind.METADATA)
    night.server.custom_dimensions = ()
    night.run(reports=(snapshot,))
    night.server.custom_dimensions = ("size",)
    later = DayWindow(WINDOW.start, WINDOW.end + timedelta(days=1))
    night.run(later, reports=(snapshot,))
    night.run(later, reports=(snapshot,))
    assert night.query("select property_id, kind, api_name, change from ops.field_changes") == [
        ("42", "dimension", "customEvent:size", "came")
    ]
