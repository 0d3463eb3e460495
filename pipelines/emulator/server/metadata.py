"""GetMetadata and CheckCompatibility: what can be asked, alone and together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from google.analytics.data_v1beta import types as ga4

from pipelines.emulator.server.errors import ApiError
from pipelines.emulator.server.fields import Catalogue, Dimension
from pipelines.emulator.server.metrics import Metric
from pipelines.emulator.server.validate import (
    check_compatible,
    filtered,
    requested_names,
)

Metadata = ga4.Metadata.pb()
CheckCompatibilityResponse = ga4.CheckCompatibilityResponse.pb()
_COMPATIBLE = ga4.Compatibility.COMPATIBLE
_INCOMPATIBLE = ga4.Compatibility.INCOMPATIBLE


def describe(property_id: str, fields: Catalogue) -> Any:
    """The `Metadata` (raw) of a property; property 0 has the standard fields only."""
    return Metadata(
        name=f"properties/{property_id}/metadata",
        dimensions=[_dimension(one) for one in fields.dimensions.values()],
        metrics=[_metric(one) for one in fields.metrics.values()],
    )


def check_compatibility(request: Any, fields: Catalogue) -> Any:
    """The `CheckCompatibilityResponse` (raw): what could be added to the request's fields.

    Raises ApiError for unknown fields, and when the request's own fields do not go together.
    """
    dimensions = (
        *requested_names(request.dimensions, fields.dimensions, "dimension"),
        *filtered(request.dimension_filter, fields.dimensions, "dimension"),
    )
    metrics = (
        *requested_names(request.metrics, fields.metrics, "metric"),
        *filtered(request.metric_filter, fields.metrics, "metric"),
    )
    check_compatible(dimensions, metrics)
    wanted = request.compatibility_filter
    response = CheckCompatibilityResponse()
    for dimension in fields.dimensions.values():
        verdict = _verdict((*dimensions, dimension), metrics)
        if wanted in (ga4.Compatibility.COMPATIBILITY_UNSPECIFIED, verdict):
            response.dimension_compatibilities.add(
                dimension_metadata=_dimension(dimension), compatibility=verdict
            )
    for metric in fields.metrics.values():
        verdict = _verdict(dimensions, (*metrics, metric))
        if wanted in (ga4.Compatibility.COMPATIBILITY_UNSPECIFIED, verdict):
            response.metric_compatibilities.add(
                metric_metadata=_metric(metric), compatibility=verdict
            )
    return response


def _verdict(dimensions: Iterable[Dimension], metrics: Iterable[Metric]) -> int:
    try:
        check_compatible(dimensions, metrics)
    except ApiError:
        return int(_INCOMPATIBLE)
    return int(_COMPATIBLE)


def _dimension(one: Dimension) -> dict[str, Any]:
    return _described(one) | {"custom_definition": one.is_custom}


def _metric(one: Metric) -> dict[str, Any]:
    return _described(one) | {"type_": one.type}


def _described(one: Dimension | Metric) -> dict[str, Any]:
    return {name: getattr(one, name) for name in ("api_name", "ui_name", "description", "category")}
