"""The connection: credentials, endpoints, retries, and what a user reads when it fails."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import grpc
import pytest
from google.api_core import exceptions as google_errors
from google.auth import exceptions as auth_errors

from pipelines.config.settings import Ga4
from pipelines.errors import SluiceError
from pipelines.ga4 import client as client_module
from pipelines.ga4.api_errors import (
    CredentialsError,
    Ga4Error,
    LargePageError,
    NotOfferedError,
    PropertyError,
    QuotaError,
    RequestRefusedError,
    SlowPageError,
    ThresholdedQuotaError,
    UnreachableError,
    translate,
)
from pipelines.ga4.client import Ga4Client, Profile, connect
from pipelines.ga4.rate_limit import NIGHTLY, Governor
from tests.support.hand_clock import HandClock
from tests.support.protocol_server import Fault, ProtocolServer, serving

DAY = date(2026, 3, 1)
SECRET = "MIIEvQIBADANBgkqhkiG9w0-not-a-real-key"  # pragma: allowlist secret
Code = grpc.StatusCode


@pytest.fixture
def server() -> Iterator[ProtocolServer]:
    with serving() as server:
        server.put("42", [])
        yield server


@pytest.fixture
def client(server: ProtocolServer, clock: HandClock) -> Ga4Client:
    return connect(Ga4(endpoint=server.endpoint), Governor(NIGHTLY, clock))


@pytest.fixture
def no_machine_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Application Default Credentials find nothing, and nobody asks a metadata server."""
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)


def refusal(client: Ga4Client) -> SluiceError:
    with pytest.raises(SluiceError) as caught:
        client.profile("42", DAY)
    return caught.value


def test_a_profile_tells_zone_currency_and_registered_parameters(server, client):
    server.time_zone, server.currency = "Pacific/Auckland", "NZD"
    server.custom_dimensions = ("page_type", "percent_scrolled")
    profile = client.profile("42", DAY)
    assert replace(profile, fields=None) == Profile(
        "42", "Pacific/Auckland", "NZD", frozenset({"page_type", "percent_scrolled"})
    )
    assert {"sessions", "eventCount"} <= {one.api_name for one in profile.fields.metrics}


def test_a_server_without_metadata_has_no_parameters(server, client):
    server.time_zone = server.currency = ""
    assert client.profile("42", DAY) == Profile("42", None, None, frozenset())


@pytest.mark.parametrize(
    "code", [Code.PERMISSION_DENIED, Code.INTERNAL, Code.DEADLINE_EXCEEDED, Code.UNKNOWN]
)
def test_a_list_of_fields_that_cannot_be_had_keeps_no_number_away(server, client, code, caplog):
    server.metadata_fault = code
    assert client.profile("42", DAY) == Profile("42", "Europe/Berlin", "EUR", frozenset())
    assert "The list of fields of property 42 cannot be had" in caplog.text
    # It fails for itself: reports are asked for as before.
    for _ in range(3):
        client.profile("42", DAY)
    with pytest.raises(Ga4Error):
        client.get_metadata("42")


def test_a_method_that_is_not_offered_is_told_apart(server, client):
    server.faults = [Fault(Code.UNIMPLEMENTED, "Method not found.")]
    error = refusal(client)
    assert type(error) is NotOfferedError
    assert isinstance(error, RequestRefusedError)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("code", "message", "kind", "exit_code", "words"),
    [
        (Code.UNAUTHENTICATED, "Request had invalid credentials.", CredentialsError, 1,
         ["Request had invalid credentials.", "ga4.credentials in sluice.yml"]),
        (Code.PERMISSION_DENIED, "User does not have sufficient permissions", PropertyError, 1,
         ["User does not have sufficient permissions", "Viewer"]),
        (Code.NOT_FOUND, "Requested entity was not found.", PropertyError, 1,
         ["Requested entity was not found.", "under properties in sluice.yml"]),
        (Code.INVALID_ARGUMENT, "Please remove itemListClickEvents to make the request compatible.",
         RequestRefusedError, 1,
         ["Please remove itemListClickEvents to make the request compatible."]),
        (Code.RESOURCE_EXHAUSTED, "Exhausted property tokens for a project per hour.",
         QuotaError, 75, ["Exhausted property tokens for a project per hour.", "run the same"]),
        (Code.RESOURCE_EXHAUSTED, "Exhausted potentially thresholded requests quota.",
         ThresholdedQuotaError, 75, ["Exhausted potentially thresholded", "until the next night"]),
        (Code.RESOURCE_EXHAUSTED, "Received message larger than max (5000000 vs. 4194304)",
         LargePageError, 1, ["larger than max", "check ga4.endpoint"]),
    ],
)  # fmt: skip
def test_every_refusal_is_translated_and_not_retried(
    server, client, clock, code, message, kind, exit_code, words
):
    server.faults = [Fault(code, message)]
    error = refusal(client)
    assert type(error) is kind
    assert error.exit_code == exit_code
    for word in [*words, "property 42"]:
        assert word in str(error)
    assert len(server.requests) == 1
    assert clock.slept == []


PASSING = [
    Code.INTERNAL, Code.UNAVAILABLE, Code.UNKNOWN, Code.ABORTED, Code.CANCELLED, Code.DATA_LOSS,
]  # fmt: skip


@pytest.mark.parametrize("code", PASSING)
def test_server_errors_are_tried_three_times(server, client, clock, code):
    server.faults = [Fault(code, "try later")]
    error = refusal(client)
    assert type(error) is UnreachableError
    assert error.exit_code == 75
    assert "try later" in str(error)
    assert "ga4.endpoint" in str(error)
    assert len(server.requests) == 3
    assert len(clock.slept) == 2
    assert clock.slept == sorted(clock.slept)
    assert clock.now() - HandClock().now() < timedelta(seconds=10)


@pytest.mark.parametrize("code", PASSING)
def test_a_server_error_that_goes_away_is_not_seen(server, client, clock, code):
    server.faults = [Fault(code, "Stream removed", times=2)]
    assert client.profile("42", DAY).time_zone == "Europe/Berlin"
    assert len(server.requests) == 3
    assert len(clock.slept) == 2


def test_a_page_that_is_too_slow_twice_is_told_apart(server, client, clock):
    server.faults = [Fault(Code.DEADLINE_EXCEEDED, "Deadline exceeded")]
    error = refusal(client)
    assert type(error) is SlowPageError
    assert (len(server.requests), len(clock.slept)) == (2, 1)


def test_quota_readings_of_every_answer_are_in_the_ledger(client):
    client.profile("42", DAY)
    readings = client.governor.take_readings()
    assert {(one.property_id, one.quota, one.consumed, one.remaining) for one in readings} == {
        ("42", "core_tokens_per_day", 4, 199_000), ("42", "core_tokens_per_hour", 4, 39_000),
    }  # fmt: skip


def test_nobody_answers(clock):
    with serving() as server:
        endpoint = server.endpoint
    error = refusal(connect(Ga4(endpoint=endpoint), Governor(NIGHTLY, clock)))
    assert type(error) is UnreachableError
    assert "ga4.endpoint" in str(error)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (google_errors.Unauthorized("x"), CredentialsError),
        (google_errors.Forbidden("x"), PropertyError),
        (google_errors.NotFound("x"), PropertyError),
        (google_errors.BadRequest("x"), RequestRefusedError),
        (google_errors.TooManyRequests("x"), QuotaError),
        (google_errors.InternalServerError("x"), UnreachableError),
        (google_errors.ServiceUnavailable("x"), UnreachableError),
        (google_errors.GatewayTimeout("x"), SlowPageError),
        (google_errors.RetryError("x", cause=None), UnreachableError),
        (google_errors.Conflict("x"), UnreachableError),
        (google_errors.AlreadyExists("x"), RequestRefusedError),
        (google_errors.OutOfRange("x"), RequestRefusedError),
        (google_errors.FailedPrecondition("x"), RequestRefusedError),
        (google_errors.MethodNotImplemented("x"), NotOfferedError),
        (google_errors.Unknown("x"), UnreachableError),
        (google_errors.Cancelled("x"), UnreachableError),
        (google_errors.BadGateway("x"), UnreachableError),
        (google_errors.GoogleAPICallError("x"), UnreachableError),
        (grpc.RpcError("x"), UnreachableError),
        (auth_errors.RefreshError("x"), CredentialsError),
        (auth_errors.RefreshError("x", retryable=True), UnreachableError),
        (auth_errors.TransportError("x"), UnreachableError),
    ],
)
def test_parents_are_translated_as_rest_raises_them(error, kind):
    translated = translate(error, property_id="42", what="a report")
    assert type(translated) is kind
    assert "property 42" in str(translated)


def test_a_revoked_key_is_a_matter_of_credentials():
    """gRPC wraps what the key's refresh says into UNAVAILABLE."""
    error = google_errors.ServiceUnavailable(
        "Getting metadata from plugin failed with error: ('invalid_grant: Invalid JWT Signature.', "
        "{'error': 'invalid_grant'})"
    )
    assert type(translate(error, property_id="42", what="a report")) is CredentialsError


def credentials_refusal(path: Path | None) -> str:
    with pytest.raises(CredentialsError) as caught:
        connect(Ga4(credentials=path))
    return str(caught.value)


def test_a_missing_key_file_is_named(tmp_path):
    message = credentials_refusal(tmp_path / "absent.json")
    assert f"{tmp_path / 'absent.json'} does not exist" in message
    assert "ga4.credentials in sluice.yml" in message


@pytest.mark.parametrize(
    "content",
    [
        f"private_key: {SECRET}",
        json.dumps({"private_key": SECRET}),
        json.dumps({"type": "service_account", "private_key": SECRET}),
        json.dumps({
            "type": "service_account", "private_key": SECRET, "client_email": "a@example.com",
            "token_uri": "https://oauth2.googleapis.com/token",
        }),
        json.dumps([SECRET]),
        json.dumps(SECRET),
        "",
    ],
)  # fmt: skip
def test_a_broken_key_file_is_named_and_not_quoted(tmp_path, content):
    path = tmp_path / "key.json"
    path.write_text(content)
    message = credentials_refusal(path)
    assert str(path) in message
    assert SECRET not in message
    assert "JSON key" in message


def test_a_key_file_that_is_no_text(tmp_path):
    path = tmp_path / "key.json"
    path.write_bytes(b"\xff\xfe\x00")
    assert str(path) in credentials_refusal(path)


def test_a_key_file_that_is_a_folder(tmp_path):
    assert str(tmp_path) in credentials_refusal(tmp_path)


def test_an_unreadable_key_file_is_named(tmp_path, monkeypatch):
    def denied(path: str, **_: object) -> None:
        raise PermissionError(13, "Permission denied", path)

    (tmp_path / "key.json").write_text("{}")
    monkeypatch.setattr(client_module.google.auth, "load_credentials_from_file", denied)
    message = credentials_refusal(tmp_path / "key.json")
    assert str(tmp_path / "key.json") in message
    assert "permissions" in message


@pytest.mark.usefixtures("no_machine_credentials")
def test_missing_default_credentials_are_named():
    message = credentials_refusal(None)
    assert "Application Default Credentials are not set up" in message
    assert "ga4.credentials in sluice.yml" in message


def test_loopback_needs_no_credentials(server, tmp_path):
    client = connect(Ga4(endpoint=server.endpoint, credentials=tmp_path / "absent.json"))
    assert client.profile("42", DAY).property_id == "42"


def test_localhost_by_name_is_loopback(server):
    port = server.endpoint.rpartition(":")[2]
    assert connect(Ga4(endpoint=f"localhost:{port}")).profile("42", DAY).property_id == "42"


@pytest.mark.usefixtures("no_machine_credentials")
@pytest.mark.parametrize("endpoint", ["ga4.example.com:443", "127.example.com:443"])
def test_plain_text_is_for_loopback_only(monkeypatch, endpoint):
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("plain text to another machine")

    monkeypatch.setattr(client_module.grpc, "insecure_channel", refuse)
    with pytest.raises(CredentialsError):
        connect(Ga4(endpoint=endpoint))
