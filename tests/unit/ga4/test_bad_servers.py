"""Whatever stands at the other end: one sentence, in the end, and a home as it was."""

import io
import select
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from google.auth.transport.grpc import AuthMetadataPlugin
from google.auth.transport.requests import Request
from google.oauth2.credentials import Credentials

from pipelines.config.settings import Ga4, Property, Settings
from pipelines.errors import SluiceError
from pipelines.ga4 import client as client_module
from pipelines.ga4.api_errors import SlowPageError
from pipelines.ga4.client import connect
from pipelines.ga4.rate_limit import NIGHTLY, Governor
from pipelines.ingest.ingest_run import Run, ingest
from tests.support import raw_server as raw
from tests.support.hand_clock import HandClock
from tests.support.night import REPORTS, WINDOW

TALKS = {
    "garbage": raw.garbage, "HTTP": raw.http, "closes at once": raw.close, "silent": raw.silence,
}  # fmt: skip


def night(home: Path, endpoint: str) -> str:
    """The sentence that a night against `endpoint` ends with."""
    settings = Settings(home=home, ga4=Ga4(endpoint=endpoint), properties=(Property(id="42"),))
    client = connect(settings.ga4, Governor(NIGHTLY, HandClock()))
    with pytest.raises(SluiceError) as caught:
        ingest(settings, client, REPORTS, WINDOW, Run("r1", "test"))
    return str(caught.value)


@pytest.mark.parametrize("talk", TALKS.values(), ids=TALKS)
def test_what_is_no_server_is_one_sentence(tmp_path, monkeypatch, talk):
    monkeypatch.setattr(client_module, "TIMEOUT_SECONDS", 0.5)
    with raw.raw_server(talk) as endpoint:
        words = night(tmp_path / "home", endpoint)
    assert "property 42" in words
    assert "\n" not in words
    assert "run the same command again" in words
    assert not (tmp_path / "home").exists()


def test_nobody_listens(tmp_path, monkeypatch):
    monkeypatch.setattr(client_module, "TIMEOUT_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert "check the network and ga4.endpoint" in night(tmp_path / "home", f"127.0.0.1:{port}")
    assert not (tmp_path / "home").exists()


def cut_after(size: int, endpoint: str) -> raw.Talk:
    """Passes everything on to and fro, and hangs up once it has passed back so many bytes."""
    host, _, port = endpoint.partition(":")

    def talk(connection: socket.socket) -> None:
        left = size
        with socket.create_connection((host, int(port))) as beyond, connection:
            others = {connection: beyond, beyond: connection}
            while left:
                for source in select.select(list(others), [], [])[0]:
                    data = source.recv(65_536)[: left if source is beyond else None]
                    others[source].sendall(data)
                    left -= len(data) if source is beyond else 0

    return talk


@pytest.mark.parametrize("size", [1, 60, 50_000])
def test_a_server_that_goes_in_the_middle_of_an_answer(server, tmp_path, size):
    server.put("42", [])
    server.currency = "EUR" * 100_000
    with raw.raw_server(cut_after(size, server.endpoint)) as endpoint:
        words = night(tmp_path / "home", endpoint)
    assert "No usable answer from GA4" in words
    assert "\n" not in words
    assert not (tmp_path / "home").exists()
    # The last size is beyond the greeting: the request arrived. Without waits between them, later
    # ones may end where gRPC has not connected again yet.
    assert server.requests or size < 50_000


def test_loopback_is_not_behind_the_machines_proxy(server, monkeypatch):
    server.put("42", [])
    asked = io.BytesIO()

    def proxy(connection: socket.socket) -> None:
        asked.write(connection.recv(4_096))
        connection.close()

    with raw.raw_server(proxy) as address:
        for name in ("http_proxy", "https_proxy", "grpc_proxy"):
            monkeypatch.setenv(name, f"http://{address}")
        for name in ("no_proxy", "no_grpc_proxy"):
            monkeypatch.delenv(name, raising=False)
        profile = connect(Ga4(endpoint=server.endpoint)).profile("42", WINDOW.end)
    assert profile.time_zone == "Europe/Berlin"
    assert asked.getvalue() == b""


CALLS = {
    "a report": lambda client: client.profile("42", WINDOW.end),
    "the list of fields": lambda client: client.get_metadata("42"),
    "compatibility": lambda client: client.check_compatibility(
        client_module.ga4.CheckCompatibilityRequest(property="properties/42"), what="x"
    ),
    "a funnel": lambda client: client.run_funnel_report(
        client_module.alpha_types.RunFunnelReportRequest(property="properties/42"), what="x"
    ),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_every_call_has_an_end(monkeypatch, call):
    monkeypatch.setattr(client_module, "TIMEOUT_SECONDS", 0.3)
    with raw.raw_server(raw.silence) as endpoint:
        client = connect(Ga4(endpoint=endpoint), Governor(NIGHTLY, HandClock()))
        with pytest.raises(SluiceError):
            call(client)


def test_a_refresh_of_the_token_ends_with_its_call(server, monkeypatch):
    """The token's server is silent: the call's own time is what is waited for, not the library's
    two minutes.
    """
    monkeypatch.setattr(client_module, "TIMEOUT_SECONDS", 0.5)
    backend = grpc.server(ThreadPoolExecutor(2))
    port = backend.add_secure_port("127.0.0.1:0", grpc.local_server_credentials())
    backend.start()
    with raw.raw_server(raw.silence) as token_server:
        credentials = Credentials(
            None, refresh_token="r", client_id="i", client_secret="s",
            token_uri=f"http://{token_server}/token",
        )  # fmt: skip
        plugin = grpc.metadata_call_credentials(AuthMetadataPlugin(credentials, Request()))
        channel = grpc.secure_channel(
            f"127.0.0.1:{port}",
            grpc.composite_channel_credentials(grpc.local_channel_credentials(), plugin),
        )
        transport = client_module.ReportTransport(channel=channel)
        beta = client_module.BetaAnalyticsDataClient(transport=transport)
        client = client_module.Ga4Client(beta, beta, None, Governor(NIGHTLY, HandClock()))
        with pytest.raises(SlowPageError, match="GA4 took too long"):
            client.profile("42", WINDOW.end)
    backend.stop(grace=None).wait()
