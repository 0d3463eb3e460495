"""The fields of a property: the metadata report, and whether a report's fields are still there.

Pure, except for the pull. Who checks, how often, and what follows is decided elsewhere.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from google.analytics.data_v1beta import types as ga4

from pipelines.ga4.api_errors import AuditError, RequestRefusedError
from pipelines.ga4.decode.audit import audited, refuse_duplicates
from pipelines.ga4.decode.report_answer import shortened_texts
from pipelines.ga4.funnel_request import DEVICE
from pipelines.ga4.report_query import Answer, Ask, Found
from pipelines.ga4.report_spec import (
    DATE,
    DATE_RANGE,
    PARAMETER_VALUE,
    Part,
    ReportKind,
    ReportSpec,
)

CUSTOM_PREFIX = "customEvent:"
# GA4 has some 400, and up to 250 custom ones.
MOST_FIELDS = 10_000


def pull_fields(ask: Ask) -> Found:
    """All dimensions and metrics of the property, as they are on the day of the pull's end.

    Raises RequestRefusedError where the server has no GetMetadata (an empty table would say
    that every field went), AuditError for a field that comes twice, and what the client raises.
    """
    rows = audited(ask, lambda: _rows(ask))
    days = pa.repeat(pa.scalar(ask.end, pa.date32()), rows.num_rows)
    partitions = pa.table({DATE: pa.array([ask.end], pa.date32())})
    return Found(rows.add_column(0, DATE, days), partitions, (Answer(rows),))


def missing_fields(spec: ReportSpec, metadata: Any) -> tuple[str, ...]:
    """Fields of `spec` that the property (raw Metadata) does not know, by API name.

    Custom dimensions are not among them: a part whose parameter is not registered is skipped by
    the pull, and the rest of the report goes on.
    """
    dimensions = {one.api_name for one in metadata.dimensions}
    metrics = {one.api_name for one in metadata.metrics}
    missing = [name for name in _dimensions(spec) if name not in dimensions]
    missing += [one.api_name for one in spec.metrics if one.api_name not in metrics]
    return tuple(missing)


def compatibility_request(property_id: str, spec: ReportSpec) -> ga4.CheckCompatibilityRequest:
    """Asks whether the fields of a report by day go together."""
    return ga4.CheckCompatibilityRequest(
        property=f"properties/{property_id}",
        dimensions=[ga4.Dimension(name=name) for name in _dimensions(spec)],
        metrics=[ga4.Metric(name=metric.api_name) for metric in spec.metrics],
    )


def incompatible_fields(answer: Any, spec: ReportSpec) -> tuple[str, ...]:
    """Fields of `spec` that the answer (raw CheckCompatibilityResponse) calls incompatible.

    The answer lists all fields that there are: most of the incompatible ones are not ours.
    """
    wrong = {
        one.dimension_metadata.api_name
        for one in answer.dimension_compatibilities
        if one.compatibility == ga4.Compatibility.INCOMPATIBLE
    }
    wrong |= {
        one.metric_metadata.api_name
        for one in answer.metric_compatibilities
        if one.compatibility == ga4.Compatibility.INCOMPATIBLE
    }
    own = (*_dimensions(spec), *(metric.api_name for metric in spec.metrics))
    return tuple(name for name in own if name in wrong)


def _dimensions(spec: ReportSpec) -> tuple[str, ...]:
    """What is asked for by name: `dateRange` comes by itself, parameters differ by part."""
    if spec.funnels:
        return (DEVICE,) if spec.kind is ReportKind.FUNNEL else ("eventName",)
    names = spec.fields(Part())
    is_ours = (name for name in names if not name.startswith(CUSTOM_PREFIX))
    return tuple(name for name in is_ours if name not in (DATE_RANGE, PARAMETER_VALUE))


def _rows(ask: Ask) -> pa.Table:
    metadata = ask.client.get_metadata(ask.property_id) if ask.fields is None else ask.fields
    if metadata is None:
        raise RequestRefusedError(
            f"The server of property {ask.property_id} has no list of fields (GetMetadata): "
            "changes of fields cannot be noticed there."
        )
    if (count := len(metadata.dimensions) + len(metadata.metrics)) > MOST_FIELDS:
        raise AuditError(f"The list of fields has {count:,} of them, more than {MOST_FIELDS:,}.")
    fields = (*metadata.dimensions, *metadata.metrics)
    if not fields:
        raise AuditError("The list of fields is empty.")
    kinds = ["dimension"] * len(metadata.dimensions) + ["metric"] * len(metadata.metrics)
    rows = pa.table(
        {
            "kind": pa.array(kinds, pa.string()),
            "api_name": shortened_texts(pa.array([one.api_name for one in fields], pa.string())),
            "is_custom": pa.array([_is_custom(one) for one in fields], pa.bool_()),
        }
    )
    refuse_duplicates(rows, ("kind", "api_name"))
    return rows


def _is_custom(one: Any) -> bool:
    return bool(one.custom_definition) or one.api_name.startswith("custom")
