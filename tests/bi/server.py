"""A real Superset in a temporary folder, on loopback, and its API as a signed-in user sees it."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from pipelines.config.folders import PROJECT_DIR

PROGRAM = PROJECT_DIR / ".venv-bi" / "bin" / "superset"
USER = "admin"
# Seconds between two looks whether it is up.
PAUSE = 0.5


@dataclass(frozen=True)
class Superset:
    """A session of the API; every answer that is not a success fails the test with its words."""

    url: str
    session: requests.Session

    def get(self, path: str, **parameters: Any) -> Any:
        return self._answer(self.session.get(f"{self.url}/api/v1/{path}", params=parameters))

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return self._answer(self.session.post(f"{self.url}/api/v1/{path}", json=body))

    def upload(self, path: str, file: Path, **form: str) -> Any:
        with file.open("rb") as handle:
            return self._answer(
                self.session.post(
                    f"{self.url}/api/v1/{path}", files={"formData": handle}, data=form
                )
            )

    def refused(self, path: str, body: dict[str, Any]) -> str:
        """What the API says to a request that must fail."""
        answer = self.session.post(f"{self.url}/api/v1/{path}", json=body)
        assert not answer.ok, answer.text
        return answer.text

    @staticmethod
    def _answer(answer: requests.Response) -> Any:
        assert answer.ok, f"{answer.request.method} {answer.url}: {answer.text[:2000]}"
        return answer.json()


@contextmanager
def superset(folder: Path) -> Iterator[Superset]:
    """Initialise, run, sign in. Needs `.venv-bi`, which `make bi-test` makes."""
    password = secrets.token_urlsafe()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "SUPERSET_HOME": str(folder),
        "SUPERSET_SECRET_KEY": secrets.token_hex(32),
        "FLASK_APP": "superset.app:create_app()",
        # Whatever would leave this machine meets a closed port.
        "HTTP_PROXY": "http://127.0.0.1:9",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "NO_PROXY": "127.0.0.1",
    }
    who = ("--firstname", "A", "--lastname", "B", "--email", "a@example.com")
    with (folder / "superset.log").open("w") as log:
        for arguments in (
            ("db", "upgrade"),
            ("fab", "create-admin", "--username", USER, *who, "--password", password),
            ("init",),
        ):
            command = [str(PROGRAM), *arguments]
            done = subprocess.run(command, env=environment, stdout=log, stderr=log, check=False)
            assert done.returncode == 0, _end_of(folder)
        port = _free_port()
        command = [str(PROGRAM), "run", "-h", "127.0.0.1", "-p", str(port), "--with-threads"]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(process, url, folder)
            yield Superset(url, _signed_in(url, password))
        finally:
            process.terminate()
            process.wait()


def _wait(process: subprocess.Popen[bytes], url: str, folder: Path) -> None:
    while process.poll() is None:
        try:
            if requests.get(f"{url}/health", timeout=60).ok:
                return
        except requests.ConnectionError:
            time.sleep(PAUSE)
    raise AssertionError(_end_of(folder))


def _signed_in(url: str, password: str) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    body: dict[str, Any] = {
        "username": USER, "password": password, "provider": "db", "refresh": False,
    }  # fmt: skip
    answer = session.post(f"{url}/api/v1/security/login", json=body)
    session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    token = session.get(f"{url}/api/v1/security/csrf_token/").json()["result"]
    session.headers.update({"X-CSRFToken": token, "Referer": url})
    return session


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _end_of(folder: Path) -> str:
    return (folder / "superset.log").read_text(encoding="utf-8")[-3000:]
