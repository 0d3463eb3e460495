"""The list of a property's fields: as a report, and against the reports that need them."""

from datetime import date
from typing import Any

import pytest
from google.analytics.data_v1beta import types as ga4

from pipelines.config.tracking_plan import load_plan
from pipelines.ga4.api_errors import AuditError, RequestRefusedError
from pipelines.ga4.extract.field_list import (
    compatibility_request,
    incompatible_fields,
    missing_fields,
)
from pipelines.ga4.extract.pull import Pull, pull
from pipelines.ga4.report_catalog import ReportSpec, build_reports

Metadata = ga4.Metadata.pb()
Answer = ga4.CheckCompatibilityResponse.pb()
END = date(2026, 3, 2)
SPECS = {spec.name: spec for spec in build_reports(load_plan())}
COMPATIBLE, INCOMPATIBLE = ga4.Compatibility.COMPATIBLE, ga4.Compatibility.INCOMPATIBLE


def metadata(dimensions: tuple[str, ...], metrics: tuple[str, ...]) -> Any:
    message = Metadata(name="properties/42/metadata")
    for name in dimensions:
        message.dimensions.add(api_name=name, custom_definition=name.startswith("customEvent:"))
    for name in metrics:
        message.metrics.add(api_name=name)
    return message


class Asked:
    """A client that has only GetMetadata, and counts."""

    def __init__(self, answer: Any) -> None:
        self.answer, self.times = answer, 0

    def get_metadata(self, property_id: str) -> Any:
        assert property_id == "42"
        self.times += 1
        return self.answer


def pulled(client: Any, fields: Any = None) -> Pull:
    return pull(client, "42", SPECS["metadata"], END, END, fields=fields)


SAMPLE = metadata(("date", "customEvent:size"), ("sessions", "customEvent:price", "sessions2"))
EXPECTED = [
    (END, "dimension", "date", False),
    (END, "dimension", "customEvent:size", True),
    (END, "metric", "sessions", False),
    (END, "metric", "customEvent:price", True),
    (END, "metric", "sessions2", False),
]


def values(result: Pull) -> list[tuple]:
    table = result.rows.drop_columns(["property_id", "pulled_at", "pull_id"])
    return [tuple(row.values()) for row in table.to_pylist()]


def test_the_fields_are_a_report():
    client = Asked(SAMPLE)
    result = pulled(client)
    assert values(result) == EXPECTED
    assert result.rows.column_names == list(SPECS["metadata"].columns)
    assert result.partitions.to_pylist() == [{"date": END}]
    assert client.times == 1


def test_fields_that_were_read_already_are_not_asked_for_again():
    client = Asked(None)
    assert values(pulled(client, fields=SAMPLE)) == EXPECTED
    assert client.times == 0


def test_a_server_without_a_list_of_fields_is_refused():
    """An empty table would say that every field went."""
    with pytest.raises(RequestRefusedError, match="property 42 has no list of fields"):
        pulled(Asked(None))


def test_an_empty_list_and_a_field_twice_are_held_back():
    with pytest.raises(AuditError, match="list of fields is empty"):
        pulled(Asked(metadata((), ())))
    with pytest.raises(AuditError, match=r"\['metric', 'sessions'\] came 2 times"):
        pulled(Asked(metadata(("date",), ("sessions", "sessions"))))
    # A dimension and a metric may share a name.
    assert pulled(Asked(metadata(("x",), ("x",)))).rows.num_rows == 2


def fields_of(spec: ReportSpec) -> set[str]:
    return {*missing_fields(spec, metadata((), ()))}


@pytest.mark.parametrize(
    ("report", "fields"),
    [
        ("sessions_by_all", {"date", "sessions", "engagedSessions", "screenPageViews",
            "userEngagementDuration", "transactions", "purchaseRevenue"}),
        ("events_by_landing_page", {"date", "eventName", "landingPage", "eventCount", "sessions"}),
        # Parameters that are not registered are left out one by one, not with the report.
        ("micro_by_device", {"date", "deviceCategory", "eventCount", "sessions"}),
        ("event_params", {"date", "eventName", "eventCount", "sessions"}),
        ("users_window", {"eventName", "deviceCategory", "totalUsers", "activeUsers"}),
        ("funnel", {"deviceCategory", "activeUsers"}),
        ("funnel_next_action", {"eventName", "activeUsers"}),
        ("metadata", set()),
    ],
)  # fmt: skip
def test_the_fields_that_a_report_needs(report, fields):
    assert fields_of(SPECS[report]) == fields


def test_only_what_is_missing_is_missing():
    known = metadata(("date", "itemId", "itemName"), ("itemsViewed", "itemRevenue"))
    assert missing_fields(SPECS["items"], known) == (
        "itemsAddedToCart", "itemsCheckedOut", "itemsPurchased",
    )  # fmt: skip


def test_the_question_whether_fields_go_together():
    request = compatibility_request("42", SPECS["items"])
    assert request.property == "properties/42"
    assert [one.name for one in request.dimensions] == ["date", "itemId", "itemName"]
    assert [one.name for one in request.metrics][:2] == ["itemsViewed", "itemsAddedToCart"]
    params = compatibility_request("42", SPECS["event_params"])
    assert [one.name for one in params.dimensions] == ["date", "eventName"]


def test_incompatible_fields_of_others_are_not_ours():
    answer = Answer()
    for name, verdict in (("itemName", INCOMPATIBLE), ("date", COMPATIBLE), ("city", INCOMPATIBLE)):
        entry = answer.dimension_compatibilities.add(compatibility=verdict)
        entry.dimension_metadata.api_name = name
    for name, verdict in (("eventCount", INCOMPATIBLE), ("itemRevenue", INCOMPATIBLE)):
        entry = answer.metric_compatibilities.add(compatibility=verdict)
        entry.metric_metadata.api_name = name
    assert incompatible_fields(answer, SPECS["items"]) == ("itemName", "itemRevenue")
    assert incompatible_fields(answer, SPECS["sessions_by_all"]) == ()
