"""The emulator's default: estimated, rounded and growing numbers, through Google's own clients.

The shop: one day, 400 pages with 400 sessions each; every session is one visitor with one purchase
of 0.33333 and 333 ms of engagement. So a page has 133.332 in revenue and 133.2 seconds, and the
whole day 160,000 sessions, 53,332.80 and 53,280 seconds.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean, stdev

import duckdb
import pytest
from google.analytics.data_v1alpha import types as alpha
from google.analytics.data_v1beta import types as ga4

from pipelines.emulator.server import Emulator, serve
from tests.support.emulated_shop import PROPERTY, Shop, values

pytestmark = pytest.mark.slow

PAGES, EACH = 400, 400
WHOLE = PAGES * EACH
DAY = [ga4.DateRange(start_date="2026-03-10", end_date="2026-03-10")]
# The property has no property.json, so that its days are those of UTC.
DAY_END = datetime(2026, 3, 11, tzinfo=UTC)
SETTLED = DAY_END + timedelta(days=10)
EVENTS = """
copy (
    select
        '20260310' as event_date, epoch_us(timestamptz '2026-03-10 12:00:00+00') as event_timestamp,
        'purchase' as event_name, 'u' || i as user_pseudo_id,
        [
            struct_pack(key := 'ga_session_id', value := struct_pack(
                string_value := null::varchar, int_value := i, double_value := null::double)),
            struct_pack(key := 'session_engaged', value := struct_pack(
                string_value := '1', int_value := null::bigint, double_value := null::double)),
            struct_pack(key := 'engagement_time_msec', value := struct_pack(
                string_value := null::varchar, int_value := 333, double_value := null::double)),
            struct_pack(key := 'page_location', value := struct_pack(
                string_value := '/' || (i % {pages}), int_value := null::bigint,
                double_value := null::double)),
            struct_pack(key := 'value', value := struct_pack(
                string_value := null::varchar, int_value := null::bigint, double_value := 0.33333))
        ] as event_params,
        struct_pack(cross_channel_campaign := struct_pack(
            source := 'google', default_channel_group := 'Organic Search'
        )) as session_traffic_source_last_click
    from range({sessions}) as made (i)
) to '{path}' (format parquet)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("pages")
    path = made / "events_20260310.parquet"
    duckdb.execute(EVENTS.format(pages=PAGES, sessions=WHOLE, path=path))
    return made


class Served:
    """The shop behind a realistic emulator whose clock the tests set."""

    def __init__(self, emulator: Emulator) -> None:
        self.shop, self.emulator, self.time = Shop(emulator.endpoint), emulator, SETTLED

    def numbers(self, metric: str, dimension: str = "pagePath", **more: object) -> dict[str, float]:
        rows = self.shop.rows(dimension, metric, date_ranges=DAY, **more)
        return {row[0]: float(row[-1]) for row in rows}

    def total(self, metric: str) -> float:
        answer = self.shop.report(
            "pagePath", metric, date_ranges=DAY, metric_aggregations=["TOTAL"]
        )
        return float(values(answer.totals[0])[1])

    @contextmanager
    def realism(self, **how: object) -> Iterator[None]:
        self.emulator.set_faults([{"do": {"realism": how}}])
        yield
        self.emulator.set_faults([])


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    with serve([folder], now=lambda: made.time) as emulator:
        made = Served(emulator)
        yield made


@pytest.fixture(autouse=True)
def _settled(served: Served) -> None:
    served.time = SETTLED


@pytest.mark.parametrize(
    ("metric", "error"), [("sessions", 0.023), ("totalUsers", 0.0115), ("activeUsers", 0.0115)]
)
def test_estimates_err_as_much_as_the_real_ones(served: Served, metric: str, error: float) -> None:
    with served.realism(exact_up_to=0):
        found = [number / EACH - 1 for number in served.numbers(metric).values()]
    # 400 draws tell a standard deviation to 3.5 %; four of those. Whole sessions blur it by 0.07 %.
    assert stdev(found) == pytest.approx(error, rel=0.14)
    assert abs(fmean(found)) < 4 * error / 20
    assert len(set(found)) > 10


def test_small_counts_are_right_and_large_ones_are_not(served: Served) -> None:
    assert set(served.numbers("sessions").values()) == {EACH}
    assert served.total("sessions") != WHOLE
    assert served.total("sessions") == pytest.approx(WHOLE, rel=5 * 0.023)


def test_what_is_counted_is_counted(served: Served) -> None:
    with served.realism(exact_up_to=0):
        for metric in ("eventCount", "transactions", "ecommercePurchases"):
            assert set(served.numbers(metric).values()) == {EACH}
            assert served.total(metric) == WHOLE


def test_now_and_then_more_sessions_are_engaged_than_there_are(served: Served) -> None:
    found = list(served.numbers("engagedSessions").values())
    assert set(found) == {EACH, EACH + 1}
    # One in fifty of 400: 8, give or take four times 2.8.
    assert 0 < found.count(EACH + 1) < 20


def test_the_same_row_is_the_same_number_however_it_is_asked(served: Served, folder: Path) -> None:
    with served.realism(exact_up_to=0):
        first = served.numbers("sessions")
        again = served.numbers("sessions")
        paged = served.shop.rows("date pagePath", "sessions", date_ranges=DAY, limit=7, offset=3)
    with served.realism(exact_up_to=0, seed=1):
        other = served.numbers("sessions")
    with serve([folder], now=lambda: SETTLED) as emulator:
        emulator.set_faults([{"do": {"realism": {"exact_up_to": 0}}}])
        elsewhere = Served(emulator).numbers("sessions")
    assert first == again == elsewhere
    assert len(paged) == 7
    assert all(first[page] == float(number) for _, page, number in paged)
    assert sum(first[page] != other[page] for page in first) > 300


def test_seconds_and_money_are_rounded_by_the_row_and_totals_on_their_own(served: Served) -> None:
    assert set(served.numbers("userEngagementDuration").values()) == {133}
    assert served.total("userEngagementDuration") == 53_280
    assert set(served.numbers("purchaseRevenue").values()) == {133.33}
    assert served.total("purchaseRevenue") == 53_332.8
    with served.realism(is_rounded=False):
        assert set(served.numbers("userEngagementDuration").values()) == {133.2}
        assert set(served.numbers("purchaseRevenue").values()) == {133.332}


@pytest.mark.parametrize(("hours", "missing"), [(0, 0.04), (36, 0.02), (54, 0.01), (72, 0)])
def test_the_newest_day_grows_for_three_days(served: Served, hours: int, missing: float) -> None:
    served.time = DAY_END + timedelta(hours=hours)
    found = served.total("eventCount")
    # Each session is missing with that probability.
    spread = (WHOLE * missing * (1 - missing)) ** 0.5
    assert found == pytest.approx(WHOLE * (1 - missing), abs=4 * spread)
    assert served.total("eventCount") == found


def test_nothing_is_known_of_the_future(served: Served) -> None:
    served.time = datetime(2026, 3, 10, 11, 59, tzinfo=UTC)
    assert served.shop.rows("", "eventCount", date_ranges=DAY) == set()
    served.time += timedelta(minutes=1)
    assert served.total("eventCount") == pytest.approx(WHOLE * 0.96, rel=0.003)


def test_a_day_that_grows_a_little_does_not_jump(served: Served) -> None:
    with served.realism(exact_up_to=0):
        served.time = DAY_END + timedelta(hours=10)
        before = served.numbers("sessions")
        served.time += timedelta(hours=1)
        after = served.numbers("sessions")
    # One session in 1,800 is new: few pages (one in five has one at all) have another deviate.
    jumps = [page for page in before if abs(after[page] / before[page] - 1) > 0.01]
    assert len(jumps) < 10
    assert before != after


def test_channels_become_known_and_their_first_row_vanishes(served: Served) -> None:
    def channels(hours: int) -> dict[str, float]:
        served.time = DAY_END + timedelta(hours=hours)
        return served.numbers("eventCount", "sessionDefaultChannelGroup")

    at_once, later, settled = channels(0), channels(48), channels(72)
    assert set(at_once) == set(later) == {"Organic Search", "Unassigned"}
    # 1 % of the 153,600 that are there, and a third of 1 %; four times the root of each.
    assert at_once["Unassigned"] == pytest.approx(1_536, abs=160)
    assert later["Unassigned"] == pytest.approx(528, abs=95)
    assert settled == {"Organic Search": WHOLE}
    served.time = DAY_END
    assert set(served.numbers("eventCount", "sessionSource")) == {"google", "(not set)"}


def test_exact_is_a_mode_of_the_server_and_of_a_rule(served: Served, folder: Path) -> None:
    true = {"sessions": WHOLE, "totalUsers": WHOLE, "engagedSessions": WHOLE, "eventCount": WHOLE}
    served.time = DAY_END
    served.emulator.set_faults([{"do": {"realism": "exact"}}])
    assert {metric: served.total(metric) for metric in true} == true
    served.emulator.set_faults([])
    with serve([folder], now=lambda: DAY_END, exact=True) as emulator:
        exact = Served(emulator)
        assert {metric: exact.total(metric) for metric in true} == true
        assert exact.total("purchaseRevenue") == pytest.approx(0.33333 * WHOLE)
        emulator.set_faults([{"do": {"realism": {}}}])
        assert exact.total("eventCount") == served.total("eventCount") < WHOLE


def test_users_of_funnels_are_estimates_too(served: Served) -> None:
    def reached(path: str) -> list[float]:
        named = {"field_name": "pagePath", "string_filter": {"match_type": 2, "value": path}}
        step = {"name": "Paid", "filter_expression": {"funnel_field_filter": named}}
        answer = served.shop.alpha.run_funnel_report(
            alpha.RunFunnelReportRequest(
                property=PROPERTY,
                date_ranges=[alpha.DateRange(start_date="2026-03-10", end_date="2026-03-10")],
                funnel={"steps": [step]},
            )
        )._pb
        rows = (*answer.funnel_table.rows, *answer.funnel_visualization.rows)
        return [float(values(row)[1]) for row in rows]

    whole = reached("/")
    assert WHOLE not in whole
    assert whole == [pytest.approx(WHOLE, rel=5 * 0.0115)] * 2
    assert reached("/") == whole
    # Of 400 pages, 11 begin with /39: /39 and /390 to /399.
    assert [round(number) for number in reached("/39")] != [11 * EACH] * 2
    assert reached("/399") == [EACH] * 2


def test_sampled_counts_are_scaled_and_fractional(served: Served) -> None:
    served.emulator.set_faults([{"do": {"sampling": {"share": 0.75}}}])
    answer = served.shop.report("pagePath", "eventCount engagementRate", date_ranges=DAY)
    served.emulator.set_faults([])
    counts = [float(values(row)[1]) for row in answer.rows]
    read = [count * 0.75 for count in counts]
    # Each of about 300 events that were read counts for one and a third.
    assert answer.metric_headers[0].type_ == ga4.MetricType.TYPE_INTEGER
    assert read == [pytest.approx(round(count)) for count in read]
    assert 200 < sum(not count.is_integer() for count in counts) < 330
    # The mean of 400 draws with a spread of 11.5.
    assert fmean(counts) == pytest.approx(EACH, abs=2.4)
    # A rate is not scaled; one session too many is engaged here and there.
    assert all(1 <= float(values(row)[2]) <= 1.01 for row in answer.rows)
