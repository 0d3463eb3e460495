"""What can go wrong: starting the emulator (`EmulatorError`), answering a request (`ApiError`).

Also the sentences of Google's that several modules use. Which request is wrong is decided in
`validate`, `dates` and `filters`.
"""

from __future__ import annotations

import grpc

from pipelines.errors import SluiceError

_DEVGUIDE = "https://developers.google.com/analytics/devguides/reporting/data/v1"


class EmulatorError(SluiceError):
    """The emulator cannot start: the message names the folder, file or port and the next step."""


class ApiError(Exception):
    """A request that is answered with a gRPC status instead of a report."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def invalid_argument(message: str) -> ApiError:
    """The API's 400."""
    return ApiError(grpc.StatusCode.INVALID_ARGUMENT, message)


def unimplemented(what: str) -> ApiError:
    """A part of the API that is refused openly rather than silently ignored."""
    return ApiError(grpc.StatusCode.UNIMPLEMENTED, f"The Sluice emulator does not answer {what}.")


def invalid_field(name: str, kind: str) -> ApiError:
    """Google's sentence to the letter: two spaces after "metric.", and one at the very end.

    `kind` is `dimension` or `metric`.
    """
    gap = " " if kind == "dimension" else "  "
    return invalid_argument(
        f"Field {name} is not a valid {kind}.{gap}For a list of valid dimensions and metrics, "
        f"see {_DEVGUIDE}/api-schema "
    )


def incompatible(names: str) -> ApiError:
    """Google's sentence for fields that cannot be asked together; `names` is what to remove."""
    return invalid_argument(
        f"Please remove {names} to make the request compatible for example. The request's "
        "dimensions & metrics are incompatible. To learn more, see "
        "https://ga-dev-tools.web.app/ga4/dimensions-metrics-explorer/"
    )


def malformed_property(property_id: str) -> ApiError:
    """The name is not `properties/<digits>`."""
    return invalid_argument(
        f"Invalid property ID: {property_id}. A numeric Property ID is required. To learn more "
        f"about Property ID, see {_DEVGUIDE}/property-id."
    )


def permission_denied() -> ApiError:
    """A property that does not exist looks like one that belongs to somebody else."""
    return ApiError(
        grpc.StatusCode.PERMISSION_DENIED,
        "User does not have sufficient permissions for this property. To learn more about "
        f"Property ID, see {_DEVGUIDE}/property-id.",
    )


def quota_exhausted(message: str) -> ApiError:
    """The API's 429; `message` names the quota."""
    return ApiError(
        grpc.StatusCode.RESOURCE_EXHAUSTED, f"{message} To learn more, see {_DEVGUIDE}/quotas"
    )
