"""What can go wrong between us and the Data API, each with the next step for the user.

`translate` turns the client library's exceptions into ours. gRPC raises the specific class and
REST its parent, so only parents are caught (docs/ga4.md, "Quota and errors").
"""

from __future__ import annotations

import grpc
from google.api_core import exceptions as google_errors
from google.auth import exceptions as auth_errors

from pipelines.errors import SluiceError
from pipelines.wording import redacted, shortened


class Ga4Error(SluiceError):
    """The root of everything that the Data API or its credentials can do to us."""


class CredentialsError(Ga4Error):
    """Credentials are missing, unreadable or refused."""


class PropertyError(Ga4Error):
    """This property is unknown to the server, or these credentials may not read it."""


class RequestRefusedError(Ga4Error):
    """The server calls this one request invalid; Google's words are kept as they are."""


class NotOfferedError(RequestRefusedError):
    """The server has no such method: what is optional goes without it."""


class QuotaError(Ga4Error):
    """Tokens are used up: stop now and go on later."""

    exit_code = 75


class ThresholdedQuotaError(QuotaError):
    """Too many requests that GA4 may have to threshold this hour: leave this report for now."""


class UnreachableError(Ga4Error):
    """No answer, or only server errors, also after the retries: it may be there again later."""

    exit_code = 75


class CircuitOpenError(UnreachableError):
    """The property's server failed so often this hour that asking on would only do harm."""


class NotAskedError(UnreachableError):
    """Not asked for any more, since the property's requests had ended before."""


class SlowPageError(UnreachableError):
    """A page took longer than the deadline, twice: a smaller page may come through."""


class LargePageError(Ga4Error):
    """An answer is larger than the channel takes: a smaller page may come through."""


class AuditError(Ga4Error):
    """An answer contradicts itself; what was loaded before stays."""

    exit_code = 2


class LargeReportError(AuditError):
    """A report takes more memory than one may: fewer days of it may do."""


# What asking again cannot change. Everything else may be over in a moment, also a status that
# nobody has seen yet. A 400 is also OUT_OF_RANGE and FAILED_PRECONDITION, a 409 that is final
# ALREADY_EXISTS (the other is ABORTED).
FINAL = (
    google_errors.BadRequest, google_errors.Unauthorized, google_errors.Forbidden,
    google_errors.NotFound, google_errors.MethodNotAllowed, google_errors.AlreadyExists,
    google_errors.LengthRequired, google_errors.PreconditionFailed,
    google_errors.RequestRangeNotSatisfiable, google_errors.MethodNotImplemented,
)  # fmt: skip
# All that a call can raise: statuses, giving up by itself, the channel, and the token's refresh.
LIBRARY_ERRORS = (google_errors.GoogleAPIError, grpc.RpcError, auth_errors.GoogleAuthError)


def is_final(error: Exception) -> bool:
    """Whether asking again is of no use, whatever the time."""
    if isinstance(error, auth_errors.GoogleAuthError):
        return not (isinstance(error, auth_errors.TransportError) or error.retryable)
    return isinstance(error, FINAL) or _is_refused_key(error)


def status_of(error: Exception) -> Exception:
    """The channel's own error as the client library's, by its status; any other as it is."""
    if isinstance(error, grpc.RpcError) and isinstance(error, grpc.Call):
        known: Exception = google_errors.from_grpc_error(error)
        return known
    return error


def _is_refused_key(error: Exception) -> bool:
    """gRPC wraps a refused refresh of the token (revoked or deleted key) into UNAVAILABLE."""
    is_wrapped = isinstance(error, google_errors.ServiceUnavailable)
    return is_wrapped and "invalid_" in str(error)


def is_too_large(words: str) -> bool:
    """An answer above the channel's limit comes with the status of a quota error."""
    return "larger than max" in words


def translate(error: Exception, *, property_id: str, what: str) -> Ga4Error:
    """Our error for the client library's `error` while doing `what` for a property."""
    words = shortened(redacted(getattr(error, "message", None) or str(error)))
    where = f"property {property_id}"
    match error:
        case google_errors.Unauthorized():
            return _refused_credentials(where, words)
        case auth_errors.GoogleAuthError() if is_final(error):
            return _refused_credentials(where, words)
        case google_errors.ServiceUnavailable() if _is_refused_key(error):
            return _refused_credentials(where, words)
        case google_errors.Forbidden() | google_errors.NotFound():
            return PropertyError(
                f"GA4 refuses {where} ({words}): check the id under properties in sluice.yml, and "
                "give the service account the Viewer role on that property."
            )
        case google_errors.TooManyRequests():
            return _out_of_quota(what, where, words)
        case google_errors.GatewayTimeout():
            return SlowPageError(
                f"GA4 took too long for {what} of {where} ({words}): "
                "run the same command again later."
            )
        case google_errors.MethodNotImplemented():
            return NotOfferedError(f"The server does not offer {what} of {where} ({words}).")
        case _ if is_final(error):
            return RequestRefusedError(f"GA4 refuses {what} of {where}: {words}")
    return UnreachableError(
        f"No usable answer from GA4 to {what} of {where} ({words}): check the network "
        "and ga4.endpoint, then run the same command again."
    )


def _out_of_quota(what: str, where: str, words: str) -> Ga4Error:
    """What a 429 is about; GA4's texts are matched loosely."""
    if is_too_large(words):
        return LargePageError(
            f"The answer to {what} of {where} is larger than any of GA4's ({words}): check "
            "ga4.endpoint in sluice.yml."
        )
    if "thresholded" in words.lower():
        return ThresholdedQuotaError(
            f"GA4 gives no more numbers that it may have to threshold for {where} this hour "
            f"({words}): {what} is left out until the next night."
        )
    return QuotaError(
        f"GA4's quota for {where} is used up while reading {what} ({words}): "
        "run the same command again when the tokens have come back."
    )


def _refused_credentials(where: str, words: str) -> CredentialsError:
    return CredentialsError(
        f"GA4 does not accept the credentials for {where} ({words}): "
        "check ga4.credentials in sluice.yml."
    )
