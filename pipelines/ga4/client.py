"""The connection to a Data API server: Google's own, or any that speaks its protocol.

Credentials, endpoint and timeouts are decided here; waits and retries in `rate_limit`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cached_property, partial
from typing import Any, TypeVar

import google.auth
import grpc
from google.analytics.data_v1alpha import AlphaAnalyticsDataClient
from google.analytics.data_v1alpha import types as alpha_types
from google.analytics.data_v1alpha.services.alpha_analytics_data.transports import (
    AlphaAnalyticsDataGrpcTransport,
)
from google.analytics.data_v1beta import BetaAnalyticsDataClient
from google.analytics.data_v1beta import types as ga4
from google.analytics.data_v1beta.services.beta_analytics_data.transports import (
    BetaAnalyticsDataGrpcTransport,
)
from google.auth import exceptions as auth_errors

from pipelines.config.settings import Ga4
from pipelines.config.timezones import known_time_zones
from pipelines.ga4.api_errors import (
    LIBRARY_ERRORS,
    CredentialsError,
    Ga4Error,
    NotOfferedError,
    translate,
)
from pipelines.ga4.decode.encoded_answer import MOST_OBJECT_BYTES, EncodedAnswer, encoded_answer
from pipelines.ga4.rate_limit import FIELDS, Governor

logger = logging.getLogger("sluice")
SCOPE = "https://www.googleapis.com/auth/analytics.readonly"
TIMEOUT_SECONDS = 60.0
# A page of 250,000 rows and five fields is 16 MB. Of what is larger a smaller page is asked for.
REPORT_BYTES = 20 * 2**20
# The answers of all other methods: the fields of a property are some 300 kB, a funnel 60.
OTHER_BYTES = MOST_OBJECT_BYTES
_T = TypeVar("_T")


class ReportTransport(BetaAnalyticsDataGrpcTransport):  # type: ignore[misc]
    """Google's own, but the answers to RunReport stay the bytes that they came as."""

    @cached_property
    def run_report(self) -> Any:
        """The call, from a request to bytes."""
        return self.grpc_channel.unary_unary(
            "/google.analytics.data.v1beta.BetaAnalyticsData/RunReport",
            request_serializer=ga4.RunReportRequest.serialize,
            response_deserializer=None,
        )


@dataclass(frozen=True)
class Profile:
    """What a server says about a property before any report is pulled.

    `fields`: the answer of GetMetadata (raw protobuf), None where it cannot be had. What stands in
    `custom_dimensions` then was known before. `is_asked`: by GA4; else nobody was asked.
    """

    property_id: str
    time_zone: str | None
    currency: str | None
    custom_dimensions: frozenset[str]
    fields: Any = None
    is_asked: bool = True

    @property
    def registered(self) -> frozenset[str] | None:
        """Event parameters that are custom dimensions today; None where only an answer can tell."""
        return None if self.fields is None else self.custom_dimensions


class Ga4Client:
    """Talks to one server. Methods raise the errors of `pipelines.ga4.api_errors`."""

    def __init__(
        self,
        reports: BetaAnalyticsDataClient,
        fields: BetaAnalyticsDataClient,
        alpha: AlphaAnalyticsDataClient,
        governor: Governor | None = None,
    ) -> None:
        """`reports`: of a `ReportTransport`; `fields` answers all other methods of v1beta."""
        self._reports = reports
        self._fields = fields
        self._alpha = alpha
        self.governor = governor or Governor()

    def run_report(self, request: ga4.RunReportRequest, *, what: str) -> EncodedAnswer:
        """One page, its rows as they came (proto-plus wrappers cost 20× on rows)."""
        property_id = _property_of(request.property)

        def call() -> EncodedAnswer:
            content: Any = self._reports.run_report(request, timeout=TIMEOUT_SECONDS)
            return encoded_answer(content)

        return self._call(
            call, property_id, what, quota_of=lambda answer: answer.message.property_quota
        )

    def run_funnel_report(self, request: alpha_types.RunFunnelReportRequest, *, what: str) -> Any:
        """One funnel, as the raw protobuf message; v1alpha may change or be missing."""
        property_id = _property_of(request.property)

        def call() -> Any:
            answer = self._alpha.run_funnel_report(request, timeout=TIMEOUT_SECONDS)
            return alpha_types.RunFunnelReportResponse.pb(answer)

        return self._call(
            call, property_id, what, "funnel", quota_of=lambda answer: answer.property_quota
        )

    def get_metadata(self, property_id: str) -> Any | None:
        """All fields of a property (raw Metadata); None where the server has no GetMetadata.

        Nothing that is needed hangs on it: it fails in a circuit of its own.
        """
        name = f"properties/{property_id}/metadata"
        answer = self._call_optional(
            lambda: self._fields.get_metadata(name=name, timeout=TIMEOUT_SECONDS),
            property_id,
            "the list of fields",
        )
        return None if answer is None else ga4.Metadata.pb(answer)

    def check_compatibility(
        self, request: ga4.CheckCompatibilityRequest, *, what: str
    ) -> Any | None:
        """Which fields go together (raw answer); None where the server cannot tell."""
        answer = self._call_optional(
            lambda: self._fields.check_compatibility(request, timeout=TIMEOUT_SECONDS),
            _property_of(request.property),
            what,
        )
        return None if answer is None else ga4.CheckCompatibilityResponse.pb(answer)

    def profile(self, property_id: str, day: date) -> Profile:
        """Ask for one number of `day`: proves access, tells time zone, currency and fields.

        A list of fields that cannot be had is no reason to go without the numbers.
        """
        request = ga4.RunReportRequest(
            property=f"properties/{property_id}",
            metrics=[ga4.Metric(name="sessions")],
            date_ranges=[ga4.DateRange(start_date=day.isoformat(), end_date=day.isoformat())],
            limit=1,
            return_property_quota=True,
        )
        metadata = self.run_report(request, what="a first number").message.metadata
        try:
            fields = self.get_metadata(property_id)
        except Ga4Error as error:
            logger.warning(
                "The list of fields of property %s cannot be had, so every report is asked for "
                "whatever its fields: %s",
                property_id,
                error,
            )
            fields = None
        return Profile(
            property_id=property_id,
            time_zone=_known_zone(metadata.time_zone),
            currency=metadata.currency_code or None,
            custom_dimensions=_registered_parameters(fields),
            fields=fields,
        )

    def _call_optional(self, call: Callable[[], _T], property_id: str, what: str) -> _T | None:
        try:
            return self._call(call, property_id, what, FIELDS)
        except NotOfferedError:
            return None

    def _call(
        self,
        call: Callable[[], _T],
        property_id: str,
        what: str,
        bucket: str = "core",
        quota_of: Callable[[_T], Any] | None = None,
    ) -> _T:
        try:
            return self.governor.call(
                call, property_id=property_id, what=what, bucket=bucket, quota_of=quota_of
            )
        except LIBRARY_ERRORS as error:
            # Without its cause: Dagster stores every cause, and its words are not redacted.
            raise translate(error, property_id=property_id, what=what) from None


def _property_of(name: str) -> str:
    return name.removeprefix("properties/")


def _registered_parameters(fields: Any | None) -> frozenset[str]:
    """Event parameters that are registered as custom dimensions."""
    prefix = "customEvent:"
    names = (dimension.api_name for dimension in fields.dimensions) if fields else ()
    return frozenset(name.removeprefix(prefix) for name in names if name.startswith(prefix))


def _known_zone(name: str) -> str | None:
    """The server's zone; None where it tells none, or one that this machine does not know."""
    if name and name not in known_time_zones():
        logger.warning(
            "GA4 names the time zone %s, which this machine does not know: days are taken in UTC "
            "until time_zone is written beside the property in sluice.yml.",
            name,
        )
    return name if name in known_time_zones() else None


def connect(settings: Ga4, governor: Governor | None = None) -> Ga4Client:
    """A client for the configured server. Opens no connection yet.

    Raises CredentialsError when the key file or the Application Default Credentials cannot be
    read. A loopback endpoint is plain text and needs no credentials.
    """
    chosen: dict[str, Any] = {}
    transport: Callable[[Any, int], Any] = partial(_local, str(settings.endpoint))
    if not settings.is_local:
        chosen["credentials"] = _credentials(settings)
        chosen["client_options"] = settings.endpoint and {"api_endpoint": settings.endpoint}
        transport = _bounded
    return Ga4Client(
        BetaAnalyticsDataClient(transport=transport(ReportTransport, REPORT_BYTES), **chosen),
        BetaAnalyticsDataClient(
            transport=transport(BetaAnalyticsDataGrpcTransport, OTHER_BYTES), **chosen
        ),
        AlphaAnalyticsDataClient(
            transport=transport(AlphaAnalyticsDataGrpcTransport, OTHER_BYTES), **chosen
        ),
        governor,
    )


def _at_most(size: int) -> list[tuple[str, int]]:
    return [("grpc.max_receive_message_length", size)]


def _local(endpoint: str, kind: Any, size: int) -> Any:
    """A transport without a proxy of the machine's: that has a loopback of its own."""
    options = [*_at_most(size), ("grpc.enable_http_proxy", 0)]
    return kind(channel=grpc.insecure_channel(endpoint, options=options))


def _bounded(kind: Any, size: int) -> Callable[..., Any]:
    """A transport of the library, whose answers may be of any size, with an end to them."""

    def channel(host: str, **options: Any) -> Any:
        return kind.create_channel(host, **{**options, "options": _at_most(size)})

    return partial(kind, channel=channel)


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
        # The text of these errors can quote the file, so it is neither shown nor kept as a cause.
        raise CredentialsError(
            f"The credentials file {settings.credentials} cannot be read "
            f"({type(error).__name__}): check its permissions and that it is a JSON key."
        ) from None
