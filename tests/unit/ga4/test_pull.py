"""One report from a server that speaks the protocol: any paging, any order; and the audit."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta

import grpc
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.config.settings import Ga4
from pipelines.config.tracking_plan import MicroConversion, ParameterCondition
from pipelines.ga4.api_errors import AuditError, PropertyError, QuotaError, RequestRefusedError
from pipelines.ga4.client import Ga4Client, connect
from pipelines.ga4.decode.report_answer import TEXT
from pipelines.ga4.extract.pull import Pull
from pipelines.ga4.extract.pull import pull as pull_report
from pipelines.ga4.report_catalog import EVENT_METRICS, ITEM_METRICS, Metric, Part, ReportSpec
from tests.support import protocol_server as misbehaving
from tests.support.folding import folded
from tests.support.protocol_server import Fault, ProtocolServer, Row, serving

START, END = date(2026, 2, 27), date(2026, 3, 2)
BY_DEVICE = ReportSpec("events_by_device", ("eventName", "deviceCategory"), EVENT_METRICS)


@pytest.fixture
def server() -> Iterator[ProtocolServer]:
    with serving() as server:
        server.put("42", SAMPLE)
        server.decorate = folded
        yield server


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[ProtocolServer, Ga4Client]]:
    """One server for all examples of a property; every example sets it up anew."""
    with serving() as server:
        yield server, connect(Ga4(endpoint=server.endpoint))


def event(day: str, name: str, device: str, count: int | str, sessions: int | str) -> Row:
    return {
        "date": day, "eventName": name, "deviceCategory": device,
        "eventCount": str(count), "sessions": str(sessions),
    }  # fmt: skip


SAMPLE = [
    event("20260227", "view_item", "mobile", 30, 12),
    event("20260227", "view_item", "desktop", 20, 9),
    event("20260228", "purchase", "mobile", 2, 2),
    event("20260301", "view_item", "(other)", 10, 8),
    event("20260302", "view_item", "", 38, 17),
]


def pull(client: Ga4Client, **changes) -> Pull:
    arguments = {"property_id": "42", "spec": BY_DEVICE, "start": START, "end": END}
    return pull_report(client, **{**arguments, **changes})


def values(result: Pull) -> list[tuple]:
    """The rows without the stamp of their pull, in a fixed order."""
    table = result.rows.drop_columns(["pulled_at", "pull_id"])
    return sorted(tuple(row.values()) for row in table.to_pylist())


EXPECTED = [
    ("42", date(2026, 2, 27), "view_item", "desktop", 20, 9),
    ("42", date(2026, 2, 27), "view_item", "mobile", 30, 12),
    ("42", date(2026, 2, 28), "purchase", "mobile", 2, 2),
    ("42", date(2026, 3, 1), "view_item", "(other)", 10, 8),
    ("42", date(2026, 3, 2), "view_item", "", 38, 17),
]


def test_a_pull_is_a_typed_table(client):
    result = pull(client)
    assert result.rows.schema == pa.schema(
        {
            "property_id": TEXT,
            "date": pa.date32(),
            "event_name": TEXT,
            "device_category": TEXT,
            "event_count": pa.int64(),
            "sessions": pa.int64(),
            "pulled_at": pa.timestamp("us", tz="UTC"),
            "pull_id": TEXT,
        }
    )
    assert values(result) == EXPECTED
    assert set(result.rows["pull_id"].to_pylist()) == {result.pull_id}
    assert result.quarantined.num_rows == 0
    assert (result.pages, result.tokens) == (1, 4)
    assert result.quota == {"tokens_per_day": (4, 199_000), "tokens_per_hour": (4, 39_000)}
    assert (result.flags.currency, result.flags.time_zone) == ("EUR", "Europe/Berlin")


def test_the_other_row_is_kept_and_its_share_told(client):
    # 10 of 30 + 20 + 2 + 10 + 38 events stand in `(other)`.
    assert pull(client).other_share == 0.1


@pytest.mark.parametrize(("page_size", "pages"), [(1, 5), (2, 3), (3, 2), (5, 1), (100, 1)])
def test_pages_of_any_size(server, client, page_size, pages):
    server.page_size = page_size
    result = pull(client)
    assert values(result) == EXPECTED
    assert (result.pages, result.tokens) == (pages, 4 * pages)
    assert [request.offset for request in server.requests] == list(range(0, 5, page_size))


def extra_metadata(answer) -> None:
    answer.metadata.sampling_metadatas.add(samples_read_count=1, sampling_space_size=10)
    answer.metadata.data_loss_from_other_row = True
    answer.metadata.subject_to_thresholding = True
    answer.metadata.schema_restriction_response.SetInParent()
    answer.maximums.add().dimension_values.add(value="RESERVED_MAX")
    answer.kind = "something else"


def test_the_server_may_be_odd(server, client):
    server.page_size, server.shuffle, server.is_reversed = 2, 7, True
    server.has_totals = server.has_quota = False
    server.decorate = extra_metadata
    result = pull(client)
    assert values(result) == EXPECTED
    assert (result.tokens, result.quota) == (0, {})
    assert result.flags.is_sampled
    assert result.flags.is_thresholded
    assert result.flags.has_other_row


days = st.integers(0, (END - START).days).map(lambda n: f"{START + timedelta(days=n):%Y%m%d}")
labels = st.text(st.characters(blacklist_categories=("Cs",)), max_size=8)
keys = st.tuples(days, labels, labels)
numbers = st.tuples(st.integers(0, 10**9), st.integers(0, 10**9))


@given(
    st.dictionaries(keys, numbers, max_size=12),
    st.integers(1, 14),
    st.integers(0, 99),
    st.booleans(),
    st.sampled_from(["{}", "{}.0"]),
)
def test_any_paging_of_any_rows_gives_the_same_table(
    shared, content, page_size, seed, is_reversed, form
):
    server, client = shared
    server.page_size, server.shuffle, server.is_reversed = page_size, seed, is_reversed
    rows = [(*key, *numbers) for key, numbers in content.items()]
    server.put("42", [event(*row[:3], *(form.format(n) for n in row[3:])) for row in rows])
    result = pull(client)
    assert values(result) == sorted(("42", date.fromisoformat(day), *rest) for day, *rest in rows)
    assert result.pages == max(1, -(-len(rows) // page_size))


def test_an_empty_answer_is_an_answer(server, client):
    server.put("42", [])
    server.decorate = lambda answer: setattr(answer.metadata, "empty_reason", "NO_DATA")
    result = pull(client)
    assert result.rows.num_rows == 0
    assert result.flags.empty_reason == "NO_DATA"
    assert result.other_share == 0.0
    assert result.pages == 1


def test_an_answer_without_headers_is_an_empty_answer(server, client):
    server.put("42", [])
    server.decorate = lambda answer: answer.Clear()
    assert pull(client).rows.num_rows == 0


FAULTS: dict[str, tuple[Callable, str]] = {
    "a page ends early": (misbehaving.drop_last_row, r"end after 4 of 5"),
    "a row comes twice": (misbehaving.repeat_first_row, r"came 2 times"),
    "totals below the rows": (misbehaving.halve_totals, r"eventCount adds up to 100.*50"),
    "a day before the window": (misbehaving.move_day("20260226"), r"2026-02-26"),
    "a day after the window": (misbehaving.move_day("20260303"), r"2026-03-03"),
    "a metric is missing": (misbehaving.forget_metric, r"lacks the field sessions"),
    "a metric is no number": (misbehaving.spoil_metric("n/a"), r"n/a"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_contradiction_is_held_back_after_three_pulls(server, client, name):
    tamper, words = FAULTS[name]
    server.faults = [Fault(tamper=tamper)]
    with pytest.raises(AuditError, match=words) as caught:
        pull(client)
    message = str(caught.value)
    for word in ("property 42", "events_by_device", "2026-02-27 to 2026-03-02", "stays"):
        assert word.lower() in message.lower()
    first_pages = [request for request in server.requests if request.offset == 0]
    assert len(first_pages) == 3


@pytest.mark.parametrize("name", FAULTS)
def test_a_contradiction_that_goes_away_heals(server, client, name):
    server.faults = [Fault(tamper=FAULTS[name][0], times=1)]
    if name == "a page ends early":
        # The rest is asked for with the next page, and the page is then empty.
        server.faults.append(
            Fault(
                tamper=lambda answer: answer.ClearField("rows"),
                match=lambda request: request.offset > 0,
                times=1,
            )
        )
    result = pull(client)
    assert values(result) == EXPECTED
    assert result.pages == 1


def test_row_count_that_moves_between_pages_is_held_back(server, client):
    server.page_size = 2
    server.faults = [Fault(tamper=misbehaving.grow, match=lambda request: request.offset == 2)]
    with pytest.raises(AuditError, match="row_count went from 5 to 6"):
        pull(client)
    assert [request.offset for request in server.requests] == [0, 2] * 3


def test_row_count_that_moved_once_heals_from_the_first_page(server, client):
    server.page_size = 2
    server.faults = [
        Fault(tamper=misbehaving.grow, match=lambda request: request.offset == 2, times=1)
    ]
    assert values(pull(client)) == EXPECTED
    assert [request.offset for request in server.requests] == [0, 2, 0, 2, 4]


def test_more_rows_than_row_count_are_held_back(server, client):
    server.faults = [Fault(tamper=lambda answer: setattr(answer, "row_count", 4))]
    with pytest.raises(AuditError, match="hold 5 rows, but row_count says 4"):
        pull(client)


def test_a_row_that_comes_on_two_pages_is_found(server, client):
    server.page_size = 3
    repeated = event("20260227", "view_item", "desktop", 20, 9)
    server.put("42", [*SAMPLE, repeated])
    server.shuffle = 1
    with pytest.raises(AuditError, match=r"20260227.*view_item.*desktop.*came 2 times"):
        pull(client)


def test_totals_above_the_rows_are_no_contradiction(server, client):
    """Thresholded rows vanish from an answer, not from its totals."""
    server.faults = [
        Fault(tamper=lambda answer: answer.rows[0].metric_values[0].ClearField("value"))
    ]
    assert sum(row[4] for row in values(pull(client))) == 80


def test_sessions_overlap_and_are_not_audited_against_their_total(server, client):
    def fewer_sessions(answer) -> None:
        answer.totals[0].metric_values[1].value = "31"

    server.faults = [Fault(tamper=fewer_sessions)]
    assert values(pull(client)) == EXPECTED


def of_metric(server: ProtocolServer, metric: str, total: str | None, *texts: str) -> ReportSpec:
    """A report of one metric with these rows, and what the server says their total is."""

    def tell(answer) -> None:
        if total is None:
            answer.ClearField("totals")
        else:
            answer.totals[0].metric_values[0].value = total

    days = range(1, 1 + len(texts))
    numbers = zip(days, texts, strict=True)
    server.put("42", [{"date": f"202603{day:02}", metric: text} for day, text in numbers])
    server.faults = [Fault(tamper=tell)]
    return ReportSpec("one", (), (Metric(metric),))


def pull_march(client: Ga4Client, spec: ReportSpec) -> Pull:
    return pull(client, spec=spec, start=date(2026, 3, 1), end=date(2026, 3, 31))


# Rows, the highest total below them that is no contradiction, and one that is.
TOTALS = {
    "counted": ("eventCount", ("5", "7"), "12", "11"),
    # 1.4 s and 2.4 s are 1 s and 2 s, and 3.8 s would be 4 s: two halves a row, and one.
    "rounded": ("userEngagementDuration", ("1", "2"), "1", "0.9"),
    # A cent for each row and the total, and a thousandth.
    "money": ("purchaseRevenue", ("10", "10"), "19.96", "19.9"),
    "money in the last digits": ("itemRevenue", ("0.1",) * 10, "0.9999999", "0.88"),
    "money in yen": ("purchaseRevenue", ("800", "800"), "1599", "1597"),
}


@pytest.mark.parametrize("name", TOTALS)
def test_rows_may_pass_their_total_by_what_their_making_explains(server, client, name):
    metric, rows, near, far = TOTALS[name]
    spec = of_metric(server, metric, near, *rows)
    assert pull_march(client, spec).rows.num_rows == len(rows)
    with pytest.raises(AuditError, match=f"{metric} adds up to"):
        pull_march(client, of_metric(server, metric, far, *rows))


def sampled(answer) -> None:
    answer.metadata.sampling_metadatas.add(samples_read_count=1, sampling_space_size=4)


def test_scaled_numbers_contradict_nothing(server, client):
    server.decorate = sampled
    result = pull_march(client, of_metric(server, "eventCount", "12", "4.5", "4.5", "4.5"))
    # Half away from zero, each by itself.
    assert result.rows["event_count"].to_pylist() == [5, 5, 5]
    assert result.missing_share is None
    assert result.flags.is_sampled


def test_fractions_of_counts_are_rounded_and_noted(server, client):
    result = pull_march(client, of_metric(server, "eventCount", "24.5", "12.25", "12.25"))
    assert result.rows["event_count"].to_pylist() == [12, 12]
    assert result.notes == ("Fractions of eventCount were rounded: GA4 scaled them.",)
    assert result.missing_share is None
    result = pull_march(client, of_metric(server, "eventCount", "24", "12.0", "1.2E1"))
    assert (result.notes, result.missing_share) == ((), 0.0)


@pytest.mark.parametrize(
    ("total", "share"),
    [("20", 0.4), ("12", 0.0), ("0", 0.0), (None, None), ("n/a", None), ("NaN", None)],
)
def test_a_total_above_its_rows_says_what_is_missing(server, client, total, share):
    rows = ("5", "7") if total != "0" else ("0", "0")
    assert pull_march(client, of_metric(server, "eventCount", total, *rows)).missing_share == share


def test_the_missing_share_of_all_parts_is_of_their_common_total(server, client):
    """11 of 12 came of one key, and 0 of 8 of the other."""

    def tell(answer) -> None:
        answer.ClearField("totals")
        total = answer.totals.add()
        for text in ("12" if answer.rows else "8", "0"):
            total.metric_values.add(value=text)

    server.put("42", [hidden("20260301", 'video "100%"', "(not set)", 11, 2)])
    server.faults = [Fault(tamper=tell)]
    result = pull(client, spec=MICRO, custom_dimensions=frozenset({"percent_scrolled"}))
    assert result.missing_share == pytest.approx(9 / 20, abs=1e-12)


def test_rows_are_missing_where_any_counted_metric_lacks_some(server, client):
    """A product that nobody viewed, but two added, is no part of the views' total."""
    spec = ReportSpec("items_like", ("itemId",), ITEM_METRICS[:2])
    server.put(
        "42",
        [
            {"date": "20260301", "itemId": "mug", "itemsViewed": "30", "itemsAddedToCart": "6"},
            {"date": "20260301", "itemId": "bag", "itemsViewed": "0", "itemsAddedToCart": "2"},
        ],
    )
    assert pull_march(client, spec).missing_share == 0.0

    def lose(answer) -> None:
        (place,) = (
            place for place, row in enumerate(answer.rows) if row.dimension_values[1].value == "bag"
        )
        del answer.rows[place]
        answer.row_count = 1

    server.faults = [Fault(tamper=lose)]
    assert pull_march(client, spec).missing_share == 0.25


def test_a_row_of_no_day_is_missing_from_its_day(server, client):
    whole = pull(client)
    server.faults = [Fault(tamper=misbehaving.move_day("20260231"))]
    result = pull(client)
    assert whole.missing_share == 0.0
    assert result.missing_share == pytest.approx(20 / 100, abs=1e-12)


def test_of_estimates_no_total_tells_anything(server, client):
    spec = ReportSpec("one", (), (Metric("sessions"),))
    server.put("42", [{"date": "20260301", "sessions": "5"}])
    assert pull_march(client, spec).missing_share is None
    assert not server.requests[-1].metric_aggregations


def test_a_thresholded_refund_leaves_more_money_than_the_total(server, client):
    server.decorate = lambda answer: setattr(answer.metadata, "subject_to_thresholding", True)
    spec = of_metric(server, "purchaseRevenue", "60", "100")
    assert pull_march(client, spec).rows["purchase_revenue"].to_pylist() == [100.0]


def test_later_pages_may_count_what_came_meanwhile(server, client):
    """The total of the last page is of the last moment."""
    server.page_size = 3

    def grow(answer) -> None:
        answer.rows[0].metric_values[0].value = "11"
        answer.totals[0].metric_values[0].value = "101"

    server.faults = [Fault(tamper=grow, match=lambda request: request.offset == 3)]
    result = pull(client)
    assert sum(row[4] for row in values(result)) == 101
    assert result.missing_share == 0.0


@pytest.mark.parametrize("text", ["(other)", "20260231", "2026-03-01", "", "(not set)", "2026030"])
def test_unreadable_dates_go_to_quarantine(server, client, text):
    server.faults = [Fault(tamper=misbehaving.move_day(text))]
    result = pull(client)
    assert values(result) == EXPECTED[1:]
    assert result.quarantined.to_pylist() == [
        {
            "date": text,
            "event_name": "view_item",
            "device_category": "desktop",
            "event_count": 20,
            "sessions": 9,
        }
    ]


def test_an_error_of_the_server_is_not_an_audit(server, client):
    server.faults = [Fault(grpc.StatusCode.RESOURCE_EXHAUSTED, "Exhausted tokens", skip=1)]
    server.page_size = 2
    with pytest.raises(QuotaError):
        pull(client)
    assert len(server.requests) == 2


SCROLL = MicroConversion(
    "scroll_50",
    ("scroll_depth",),
    (ParameterCondition("percent_scrolled", ">=", "50"),),
)
VIDEO = MicroConversion("video", ("video_start", 'video "100%"'), ())
MICRO = ReportSpec("micro_by_all", (), EVENT_METRICS, (Part(SCROLL), Part(VIDEO)))


def hidden(day: str, name: str, percent: str, count: int, sessions: int) -> Row:
    return {
        "date": day, "eventCount": str(count), "sessions": str(sessions),
        "~eventName": name, "~customEvent:percent_scrolled": percent,
    }  # fmt: skip


@pytest.fixture
def scrolling(server: ProtocolServer) -> None:
    server.put(
        "42",
        [
            hidden("20260301", "scroll_depth", "75", 7, 5),
            hidden("20260302", "scroll_depth", "25", 9, 9),
            hidden("20260302", 'video "100%"', "(not set)", 3, 2),
            hidden("20260302", "video_stop", "90", 1, 1),
        ],
    )


@pytest.mark.usefixtures("scrolling")
def test_composite_keys_are_counted_by_the_server(server, client):
    result = pull(client, spec=MICRO, custom_dimensions=frozenset({"percent_scrolled", "size"}))
    assert values(result) == [
        ("42", date(2026, 3, 1), "scroll_50", 7, 5),
        ("42", date(2026, 3, 2), "video", 3, 2),
    ]
    assert result.skipped == ()
    assert (result.pages, result.tokens) == (2, 8)


@pytest.mark.usefixtures("scrolling")
def test_a_key_whose_parameter_is_not_registered_is_not_asked_for(server, client):
    result = pull(client, spec=MICRO, custom_dimensions=frozenset())
    assert values(result) == [("42", date(2026, 3, 2), "video", 3, 2)]
    assert result.skipped == ("scroll_50",)
    assert len(server.requests) == 1


NO_SUCH_FIELD = Fault(
    grpc.StatusCode.INVALID_ARGUMENT,
    "Field customEvent:percent_scrolled is not a valid dimension.",
    match=lambda request: "customEvent" in str(request.dimension_filter),
)  # fmt: skip


@pytest.mark.usefixtures("scrolling")
def test_where_nobody_knows_the_parameters_every_key_is_asked_for(client):
    result = pull(client, spec=MICRO)
    assert [row[2:] for row in values(result)] == [("scroll_50", 7, 5), ("video", 3, 2)]
    assert (result.skipped, result.notes) == ((), ())


@pytest.mark.usefixtures("scrolling")
def test_where_nobody_knows_the_parameters_a_refusal_leaves_out_its_key(server, client):
    server.faults = [NO_SUCH_FIELD]
    result = pull(client, spec=MICRO)
    assert values(result) == [("42", date(2026, 3, 2), "video", 3, 2)]
    assert result.skipped == ()
    (note,) = result.notes
    assert note.startswith("scroll_50 not at all (GA4 refuses")
    assert "customEvent:percent_scrolled is not a valid dimension" in note


@pytest.mark.usefixtures("scrolling")
@pytest.mark.parametrize(
    ("parts", "registered"),
    [((Part(SCROLL),), None), (MICRO.parts, frozenset({"percent_scrolled"}))],
    ids=["nothing else is answered", "the parameter is registered"],
)
def test_a_refusal_that_says_nothing_of_a_parameter_is_the_report_s(
    server, client, parts, registered
):
    server.faults = [NO_SUCH_FIELD]
    spec = replace(MICRO, parts=parts)
    with pytest.raises(RequestRefusedError, match="not a valid dimension"):
        pull(client, spec=spec, custom_dimensions=registered)


@pytest.mark.usefixtures("scrolling")
def test_what_is_no_refusal_says_nothing_of_a_parameter(server, client):
    server.faults = [replace(NO_SUCH_FIELD, code=grpc.StatusCode.PERMISSION_DENIED)]
    with pytest.raises(PropertyError):
        pull(client, spec=MICRO)


@pytest.mark.usefixtures("scrolling")
def test_when_no_key_can_be_asked_for_the_pull_is_empty(server, client):
    spec = ReportSpec("micro_by_all", (), EVENT_METRICS, (Part(SCROLL),))
    result = pull(client, spec=spec, custom_dimensions=frozenset())
    assert result.rows.num_rows == 0
    assert result.rows.column_names == list(spec.columns)
    assert result.skipped == ("scroll_50",)
    assert server.requests == []


def test_equal_requests_have_equal_hashes(client):
    assert pull(client).request_hash == pull(client).request_hash
    assert pull(client).request_hash != pull(client, end=START).request_hash
    assert pull(client).pull_id != pull(client).pull_id
