"""A GA4 server that the tests fill, and a client of it."""

from collections.abc import Iterator

import pytest

from pipelines.config.settings import Ga4
from pipelines.ga4.client import Ga4Client, connect
from tests.support.protocol_server import ProtocolServer, serving


@pytest.fixture
def server() -> Iterator[ProtocolServer]:
    with serving() as server:
        yield server


@pytest.fixture
def client(server: ProtocolServer) -> Ga4Client:
    return connect(Ga4(endpoint=server.endpoint))
