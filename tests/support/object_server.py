"""An S3 server on loopback (moto's), which can be told to check keys and permissions."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen
from uuid import uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer

BUCKET, REGION = "shop", "eu-central-1"
NAMES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_OTHERS = ("AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION", "AWS_PROFILE")
Keys = tuple[str, str]
ANY: Keys = ("planted-id", "planted-secret")


@dataclass(frozen=True)
class ObjectServer:
    """A running server with the empty bucket `BUCKET`."""

    endpoint: str

    def put(self, name: str, content: bytes | Path) -> str:
        """Write an object; its address."""
        body = content.read_bytes() if isinstance(content, Path) else content
        self._client("s3").put_object(Bucket=BUCKET, Key=name, Body=body)
        return f"s3://{BUCKET}/{name}"

    def keys(self, *actions: str) -> Keys:
        """The keys of a new user who may do this (such as `s3:ListBucket`), and nothing else."""
        iam, name = self._client("iam"), uuid4().hex
        iam.create_user(UserName=name)
        if actions:
            allowed = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
            document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
            iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=document)
        made = iam.create_access_key(UserName=name)["AccessKey"]
        return made["AccessKeyId"], made["SecretAccessKey"]

    @contextmanager
    def checking_keys(self) -> Iterator[None]:
        """For a while nobody may do what no policy allows."""
        self._check_after("0")
        try:
            yield
        finally:
            self._check_after("inf")

    def lead(self, monkeypatch: pytest.MonkeyPatch, keys: Keys = ANY) -> None:
        """Set the variables by which clients find and enter it."""
        for name in _OTHERS:
            monkeypatch.delenv(name, raising=False)
        for name, value in zip(NAMES, keys, strict=True):
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_REGION", REGION)
        monkeypatch.setenv("AWS_ENDPOINT_URL", self.endpoint)

    def _check_after(self, actions: str) -> None:
        url, plain = f"{self.endpoint}/moto-api/reset-auth", {"Content-Type": "text/plain"}
        with urlopen(Request(url, actions.encode(), plain)) as answer:
            assert answer.status == 200

    def _client(self, service: str) -> Any:
        identifier, secret = ANY
        return boto3.client(
            service, endpoint_url=self.endpoint, region_name=REGION,
            aws_access_key_id=identifier, aws_secret_access_key=secret,
        )  # fmt: skip


@contextmanager
def object_server() -> Iterator[ObjectServer]:
    """A server of one bucket, until the end of the block. It lists three objects a page."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "3")
        running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        running.start()
        try:
            host, port = running.get_host_and_port()
            server = ObjectServer(f"http://{host}:{port}")
            where = {"LocationConstraint": REGION}
            server._client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
            yield server
        finally:
            running.stop()
