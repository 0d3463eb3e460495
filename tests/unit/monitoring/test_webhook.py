"""A webhook that takes the message and never comes to an end costs a try, and no night."""

import pytest
from pydantic import SecretStr

from pipelines.monitoring import webhook
from tests.support import raw_server as raw


@pytest.mark.parametrize("talk", [raw.drip, raw.silence], ids=["a byte now and then", "silence"])
def test_a_try_has_an_end(monkeypatch: pytest.MonkeyPatch, talk: raw.Talk) -> None:
    monkeypatch.setattr(webhook, "DEADLINE_SECONDS", 0.5)
    with raw.raw_server(talk) as address, pytest.raises(webhook.WebhookError) as caught:
        webhook.post(SecretStr(f"http://{address}/S3CR3T"), {"text": "hello"}, waits=())
    assert str(caught.value).startswith("it did not answer within")
    assert "S3CR3T" not in str(caught.value)


@pytest.mark.parametrize("talk", [raw.garbage, raw.close], ids=["garbage", "closes at once"])
def test_what_is_no_webhook_is_told_by_its_kind(talk: raw.Talk) -> None:
    with raw.raw_server(talk) as address, pytest.raises(webhook.WebhookError) as caught:
        webhook.post(SecretStr(f"http://{address}/S3CR3T"), {"text": "hello"}, waits=())
    assert str(caught.value).startswith("it did not answer: ")
    assert "S3CR3T" not in str(caught.value)
