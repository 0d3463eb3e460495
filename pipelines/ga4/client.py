"""The connection to a Data API server: Google's own, or any that speaks its protocol.

Credentials, endpoint, timeouts and retries are decided here and nowhere else.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar
from zoneinfo import available_timezones

import google.auth
import grpc
from google.analytics.data_v1beta import BetaAnalyticsDataClient
from google.analytics.data_v1beta import types as ga4
from google.analytics.data_v1beta.services.beta_analytics_data.transports import (
    BetaAnalyticsDataGrpcTransport,
)
from google.api_core import exceptions as google_errors
from google.auth import exceptions as auth_errors
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from pipelines.ga4.errors import CredentialsError, translate
from pipelines.settings import Ga4

logger = logging.getLogger("sluice")
SCOPE = "https://www.googleapis.com/auth/analytics.readonly"
LOOPBACK = re.compile(r"(127(\.\d{1,3}){3}|localhost):\d+")
TIMEOUT_SECONDS = 60.0
# GA4 counts server errors against the project (10 an hour), so two more tries and no more.
ATTEMPTS = 3
_TRANSIENT = (
    google_errors.ServiceUnavailable,
    google_errors.InternalServerError,
    google_errors.GatewayTimeout,
)
_T = TypeVar("_T")


@dataclass(frozen=True)
class Profile:
    """What a server says about a property before any report is pulled."""

    property_id: str
    time_zone: str | None
    currency: str | None
    custom_dimensions: frozenset[str]


class Ga4Client:
    """Talks to one server. Methods raise the errors of `pipelines.ga4.errors`."""

    def __init__(self, beta: BetaAnalyticsDataClient) -> None:
        self._beta = beta

    def run_report(self, request: ga4.RunReportRequest, *, what: str) -> Any:
        """One page, as the raw protobuf message (proto-plus wrappers cost 20× on rows)."""
        response = self._call(
            lambda: self._beta.run_report(request, timeout=TIMEOUT_SECONDS),
            property_id=request.property.removeprefix("properties/"),
            what=what,
        )
        return ga4.RunReportResponse.pb(response)

    def profile(self, property_id: str, day: date) -> Profile:
        """Ask for one number of `day`: proves access, tells time zone and currency.

        Also lists the registered event parameters; a server without GetMetadata has none.
        """
        request = ga4.RunReportRequest(
            property=f"properties/{property_id}",
            metrics=[ga4.Metric(name="sessions")],
            date_ranges=[ga4.DateRange(start_date=day.isoformat(), end_date=day.isoformat())],
            limit=1,
        )
        metadata = self.run_report(request, what="a first number").metadata
        return Profile(
            property_id=property_id,
            time_zone=_known_zone(metadata.time_zone),
            currency=metadata.currency_code or None,
            custom_dimensions=self._custom_dimensions(property_id),
        )

    def _custom_dimensions(self, property_id: str) -> frozenset[str]:
        name = f"properties/{property_id}/metadata"
        try:
            answer = self._call(
                lambda: self._beta.get_metadata(name=name, timeout=TIMEOUT_SECONDS),
                property_id=property_id,
                what="the list of fields",
            )
        except Exception as error:
            if isinstance(error.__cause__, google_errors.MethodNotImplemented):
                return frozenset()
            raise
        prefix = "customEvent:"
        names = (dimension.api_name for dimension in answer.dimensions)
        return frozenset(one.removeprefix(prefix) for one in names if one.startswith(prefix))

    def _call(self, call: Callable[[], _T], *, property_id: str, what: str) -> _T:
        retrying = Retrying(
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.5, max=10),
            retry=retry_if_exception_type(_TRANSIENT),
            reraise=True,
        )
        try:
            return retrying(call)
        except (google_errors.GoogleAPIError, auth_errors.GoogleAuthError) as error:
            raise translate(error, property_id=property_id, what=what) from error


def _known_zone(name: str) -> str | None:
    """The server's zone; None where it tells none, or one that this machine does not know."""
    if name and name not in available_timezones():
        logger.warning(
            "GA4 names the time zone %s, which this machine does not know: days are taken in UTC "
            "until time_zone is written beside the property in sluice.yml.",
            name,
        )
    return name if name in available_timezones() else None


def connect(settings: Ga4) -> Ga4Client:
    """A client for the configured server. Opens no connection yet.

    Raises CredentialsError when the key file or the Application Default Credentials cannot be
    read. A loopback endpoint is plain text and needs no credentials.
    """
    if settings.endpoint and LOOPBACK.fullmatch(settings.endpoint):
        channel = grpc.insecure_channel(
            settings.endpoint, options=[("grpc.max_receive_message_length", -1)]
        )
        return Ga4Client(
            BetaAnalyticsDataClient(transport=BetaAnalyticsDataGrpcTransport(channel=channel))
        )
    options = {"api_endpoint": settings.endpoint} if settings.endpoint else None
    return Ga4Client(
        BetaAnalyticsDataClient(credentials=_credentials(settings), client_options=options)
    )


def _credentials(settings: Ga4) -> Any:
    try:
        if settings.credentials is None:
            return google.auth.default(scopes=[SCOPE])[0]
        return google.auth.load_credentials_from_file(str(settings.credentials), scopes=[SCOPE])[0]
    except auth_errors.DefaultCredentialsError as error:
        where = settings.credentials or "Application Default Credentials"
        problem = "is no usable credentials file" if settings.credentials else "are not set up"
        if settings.credentials and not settings.credentials.exists():
            problem = "does not exist"
        raise CredentialsError(
            f"{where} {problem}: put the path of a service account's JSON key under "
            "ga4.credentials in sluice.yml."
        ) from error
    except (OSError, ValueError, AttributeError) as error:
        # The text of these errors can quote the file, so it is not shown.
        raise CredentialsError(
            f"The credentials file {settings.credentials} cannot be read "
            f"({type(error).__name__}): check its permissions and that it is a JSON key."
        ) from error
