"""One HTTP call to a second source's server: bounded in time and size, tried again, no redirects.

No error repeats an address, a header or a body; those may hold a token.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.request import getproxies

import requests
import urllib3

from pipelines import __version__
from pipelines.ga4.rate_limit import Clock, SystemClock
from pipelines.hosts import is_loopback
from pipelines.sources.contract import SourceError

CONNECT_SECONDS, READ_SECONDS = 10.0, 60.0
# For all of an answer: a server that sends a byte now and then would never time out.
ANSWER_SECONDS = 180
MOST_BYTES = 32 * 2**20
CHUNK = 65_536
# Seconds before each further try.
WAITS = (2, 8)
SERVER_ERROR = 500


@dataclass(frozen=True)
class Answer:
    """What a server said."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpServer:
    """A server at `host` (with a port or without), by https; by plain http on loopback only."""

    def __init__(
        self,
        name: str,
        host: str,
        headers: Mapping[str, str],
        clock: Clock | None = None,
        before_each: Callable[[], None] | None = None,
    ) -> None:
        """`name`: how errors call it. `headers` go with every request, the token among them.
        `before_each` is called before every try; what it raises ends them.
        """
        local = is_loopback(host)
        self.name = name
        self.clock: Clock = clock or SystemClock()
        self.requests = 0
        self._before_each = before_each or (lambda: None)
        self._base = f"{'http' if local else 'https'}://{host}"
        self._session = requests.Session()
        # Neither a proxy nor the machine's .netrc, which would replace the token, has a say on
        # loopback; elsewhere the machine's proxies are asked for by hand.
        self._session.trust_env = False
        if not local:
            self._session.proxies = dict(getproxies())
        self._session.headers.update({"User-Agent": f"sluice/{__version__}", **headers})

    def send(
        self, method: str, path: str, *, json: Any = None, params: Mapping[str, str] | None = None
    ) -> Answer:
        """The answer, also one that refuses; server errors and silence are tried again.

        Raises SourceError (general) where there is none.
        """
        problem = ""
        for wait in (*WAITS, None):
            try:
                answer = self._send(method, path, json, params)
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                problem = f"it did not answer: {type(error).__name__}"
            else:
                if answer.status < SERVER_ERROR:
                    return answer
                problem = f"it answered {answer.status}"
            if wait is not None:
                self.clock.sleep_until(self.clock.now() + timedelta(seconds=wait))
        raise SourceError(
            f"{self.name} gave no usable answer ({problem}): check the network, then run the same "
            "night again.",
            is_general=True,
        )

    def _send(self, method: str, path: str, json: Any, params: Mapping[str, str] | None) -> Answer:
        self._before_each()
        self.requests += 1
        with self._session.request(
            method, self._base + path, json=json, params=params, stream=True,
            allow_redirects=False, timeout=(CONNECT_SECONDS, READ_SECONDS),
        ) as response:  # fmt: skip
            end = self.clock.now() + timedelta(seconds=ANSWER_SECONDS)
            body = bytearray()
            while chunk := response.raw.read1(CHUNK, decode_content=True):
                body += chunk
                if len(body) > MOST_BYTES:
                    raise SourceError(
                        f"{self.name} sent more than {MOST_BYTES // 2**20} MB: check its endpoint."
                    )
                if self.clock.now() > end:
                    raise requests.Timeout
            return Answer(response.status_code, response.headers, bytes(body))
