"""Errors that a fault can answer with instead of a report, by name, in Google's wording."""

from __future__ import annotations

from typing import Literal

import grpc

from pipelines.emulator.server import errors
from pipelines.emulator.server.errors import ApiError

StatusName = Literal[
    "concurrent",
    "hourly",
    "property_hourly",
    "daily",
    "thresholded",
    "server_errors",
    "too_large",
    "internal",
    "unavailable",
    "bad_gateway",
    "unknown",
    "aborted",
    "cancelled",
    "data_loss",
    "deadline",
    "incompatible",
    "invalid",
    "unauthenticated",
    "forbidden",
    "disabled",
    "not_found",
    "unimplemented",
]
# 500 and 503: the ones that count against serverErrorsPerProjectPerHour.
SERVER_ERRORS = frozenset((grpc.StatusCode.INTERNAL, grpc.StatusCode.UNAVAILABLE))
_Code = grpc.StatusCode
_HOUR = "These quota tokens will return in under an hour."
_EXHAUSTED = {
    "concurrent": "Exhausted concurrent requests quota.",
    "hourly": f"Exhausted property tokens for a project per hour. {_HOUR}",
    "property_hourly": f"Exhausted property tokens per hour. {_HOUR}",
    "daily": "Exhausted property tokens per day. These quota tokens will return in under 24 hours.",
    "thresholded": "Exhausted potentially thresholded requests quota.",
    "server_errors": "Exhausted server errors quota for a project per hour.",
}
_OTHERS = {
    # A reply beyond the channel's limit: gRPC's own words, the same status as a quota error.
    "too_large": ApiError(
        _Code.RESOURCE_EXHAUSTED, "CLIENT: Received message larger than max (5242880 vs. 4194304)"
    ),
    "internal": ApiError(_Code.INTERNAL, "Internal error encountered."),
    "unavailable": ApiError(_Code.UNAVAILABLE, "The service is currently unavailable."),
    "bad_gateway": ApiError(_Code.UNAVAILABLE, "Received http2 header with status: 502"),
    "unknown": ApiError(_Code.UNKNOWN, "Stream removed"),
    "aborted": ApiError(_Code.ABORTED, "The operation was aborted."),
    "cancelled": ApiError(_Code.CANCELLED, "The operation was cancelled."),
    "data_loss": ApiError(_Code.DATA_LOSS, "Unrecoverable data loss or corruption."),
    "deadline": ApiError(_Code.DEADLINE_EXCEEDED, "Deadline Exceeded"),
    "incompatible": errors.incompatible("itemListClickEvents"),
    "invalid": errors.invalid_argument("Request contains an invalid argument."),
    "unauthenticated": ApiError(
        _Code.UNAUTHENTICATED,
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login "
        "cookie or other valid authentication credential.",
    ),
    "forbidden": errors.permission_denied(),
    "disabled": ApiError(
        _Code.PERMISSION_DENIED,
        "Google Analytics Data API has not been used in project 1 before or it is disabled.",
    ),
    "not_found": ApiError(_Code.NOT_FOUND, "Requested entity was not found."),
    "unimplemented": ApiError(
        _Code.UNIMPLEMENTED, "Operation is not implemented, or supported, or enabled."
    ),
}


def status_error(name: StatusName, message: str | None = None) -> ApiError:
    """The error of that name; `message` replaces Google's words."""
    found = errors.quota_exhausted(_EXHAUSTED[name]) if name in _EXHAUSTED else _OTHERS[name]
    return ApiError(found.code, message or found.message)
