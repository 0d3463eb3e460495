"""What can go wrong between us and the Data API, each with the next step for the user.

`translate` turns the client library's exceptions into ours. gRPC raises the specific class and
REST its parent, so only parents are caught (GA4.md).
"""

from __future__ import annotations

from google.api_core import exceptions as google_errors
from google.auth import exceptions as auth_errors

from pipelines.errors import SluiceError


class Ga4Error(SluiceError):
    """The root of everything that the Data API or its credentials can do to us."""


class CredentialsError(Ga4Error):
    """Credentials are missing, unreadable or refused."""


class PropertyError(Ga4Error):
    """This property is unknown to the server, or these credentials may not read it."""


class RequestRefusedError(Ga4Error):
    """The server calls this one request invalid; Google's words are kept as they are."""


class QuotaError(Ga4Error):
    """Tokens are used up: stop now and go on later."""

    exit_code = 75


class ThresholdedQuotaError(QuotaError):
    """Too many requests that GA4 may have to threshold this hour: leave this report for now."""


class UnreachableError(Ga4Error):
    """No answer, or only server errors, also after the retries."""


class CircuitOpenError(UnreachableError):
    """The property's server failed so often this hour that asking on would only do harm."""


class SlowPageError(UnreachableError):
    """A page took longer than the deadline, twice: a smaller page may come through."""


class AuditError(Ga4Error):
    """An answer contradicts itself; what was loaded before stays."""

    exit_code = 2


def is_too_large(words: str) -> bool:
    """An answer above the channel's limit comes with the status of a quota error (GA4.md)."""
    return "larger than max" in words


def translate(error: Exception, *, property_id: str, what: str) -> Ga4Error:
    """Our error for the client library's `error` while doing `what` for a property."""
    words = getattr(error, "message", None) or str(error)
    where = f"property {property_id}"
    match error:
        case auth_errors.TransportError():
            return _unreachable(what, where, words)
        case google_errors.Unauthorized() | auth_errors.GoogleAuthError():
            return _refused_credentials(where, words)
        # gRPC wraps a refused refresh of the token (revoked or deleted key) into UNAVAILABLE.
        case google_errors.ServiceUnavailable() if "invalid_" in words:
            return _refused_credentials(where, words)
        case google_errors.Forbidden() | google_errors.NotFound():
            return PropertyError(
                f"GA4 refuses {where} ({words}): check the id under properties in sluice.yml, and "
                "give the service account the Viewer role on that property."
            )
        case google_errors.TooManyRequests() if is_too_large(words):
            return Ga4Error(
                f"The answer to {what} of {where} is larger than the channel allows ({words}): "
                "this is a fault in Sluice, please report it."
            )
        case google_errors.TooManyRequests() if "thresholded" in words.lower():
            return ThresholdedQuotaError(
                f"GA4 gives no more numbers that it may have to threshold for {where} this hour "
                f"({words}): {what} is left out until the next night."
            )
        case google_errors.TooManyRequests():
            return QuotaError(
                f"GA4's quota for {where} is used up while reading {what} ({words}): "
                "run the same command again when the tokens have come back."
            )
        case google_errors.GatewayTimeout():
            return SlowPageError(
                f"GA4 took too long for {what} of {where} ({words}): "
                "run the same command again later."
            )
        case google_errors.BadRequest():
            return RequestRefusedError(f"GA4 refuses {what} of {where}: {words}")
        case google_errors.RetryError() | google_errors.ServerError():
            return _unreachable(what, where, words)
    return Ga4Error(f"GA4 failed on {what} of {where} ({words}): run the same command again.")


def _refused_credentials(where: str, words: str) -> CredentialsError:
    return CredentialsError(
        f"GA4 does not accept the credentials for {where} ({words}): "
        "check ga4.credentials in sluice.yml."
    )


def _unreachable(what: str, where: str, words: str) -> UnreachableError:
    return UnreachableError(
        f"No usable answer from GA4 to {what} of {where} ({words}): check the network "
        "and ga4.endpoint, then run the same command again."
    )
