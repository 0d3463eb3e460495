"""Posts one JSON message to a webhook. The address is a secret: no error or log line holds it."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

from pydantic import SecretStr

from pipelines import __version__
from pipelines.errors import SluiceError
from pipelines.hosts import is_loopback

TIMEOUT_SECONDS = 10.0
# For the whole of a try: a server that sends a byte now and then would never time out.
DEADLINE_SECONDS = 20.0
# Seconds before each further try: with the timeouts a silent webhook costs a night 45 s.
WAITS = (3.0, 12.0)
_TOO_MANY, _SERVER = 429, 500


class WebhookError(SluiceError):
    """A message that did not arrive, and why, in words without the address."""


def check_address(address: str) -> None:
    """Raises ValueError unless it is https, or http to this machine; the words do not repeat it."""
    scheme, host, is_plain = "", "", False
    with suppress(ValueError):
        parts = urlsplit(address)
        scheme, host = parts.scheme, parts.hostname or ""
        # A port that is no number raises here.
        is_plain = parts.username is None and (parts.port is None or parts.port > 0)
    is_safe = scheme == "https" or (scheme == "http" and is_loopback(host))
    if not (host and is_plain and is_safe and address.isascii() and address.isprintable()) or (
        " " in address
    ):
        raise ValueError(
            "write the whole address, https://…, or http://… on this machine (127.0.0.1)"
        )


def post(address: SecretStr, message: Mapping[str, Any], waits: Sequence[float] = WAITS) -> None:
    """Post the message; after each of `waits` seconds once more, where that may help.

    Raises WebhookError: no answer, or an answer other than 2xx. Redirections are not followed.
    """
    body = json.dumps(message, allow_nan=False).encode()
    for wait in (*waits, None):
        problem, may_pass = _try(address, body)
        if not problem:
            return
        if wait is None or not may_pass:
            raise WebhookError(problem)
        time.sleep(wait)


def _try(address: SecretStr, body: bytes) -> tuple[str, bool]:
    """("", …) when it arrived, else (why not, whether another try may help)."""
    outcome = [(f"it did not answer within {DEADLINE_SECONDS:.0f} seconds", True)]
    # A daemon: what never ends must not keep the process alive either.
    sender = threading.Thread(
        target=lambda: outcome.append(_send(address, body)), name="webhook", daemon=True
    )
    sender.start()
    sender.join(DEADLINE_SECONDS)
    return outcome[-1]


def _send(address: SecretStr, body: bytes) -> tuple[str, bool]:
    url = address.get_secret_value()
    headers = {"Content-Type": "application/json", "User-Agent": f"sluice/{__version__}"}
    try:
        with _opener(url).open(Request(url, body, headers), timeout=TIMEOUT_SECONDS):
            return "", False
    except HTTPError as error:
        error.close()
        return f"it answered {error.code}", error.code == _TOO_MANY or error.code >= _SERVER
    except (OSError, http.client.HTTPException) as error:
        # Their words may repeat the address.
        reason = getattr(error, "reason", error)
        return f"it did not answer: {type(reason).__name__}", True


def _opener(url: str) -> OpenerDirector:
    """Through the machine's proxy, unless the webhook is on the machine itself."""
    handlers: list[Any] = [_NoRedirection()]
    if is_loopback(urlsplit(url).hostname or ""):
        handlers.append(ProxyHandler({}))
    return build_opener(*handlers)


class _NoRedirection(HTTPRedirectHandler):
    """A redirected POST would arrive as a GET, or at a host that nobody named."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        """The redirection stays an error."""
