"""A night that is refused before it begins: it is remembered and told, as it runs unattended."""

from pathlib import Path

import pytest

from tests.support.reading import fail, run
from tests.support.webhook_server import WebhookServer

REFUSED = {
    "tracking_plan": "events: {product_vew: view_item}\n",
    "changes": "changes:\n  - {id: a, start: 2026-13-01}\n",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_mistake_in_a_file_of_the_shop_is_remembered_and_told(
    published: Path,
    alerted: WebhookServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    folder = published.parent
    (folder / f"{name}.yml").write_text(REFUSED[name], encoding="utf-8")
    (folder / "sluice.yml").write_text(
        f'{name}: {name}.yml\nproperties: [{{id: "42"}}]\n'
        f'alerts: {{webhook: "{alerted.address}"}}\n',
        encoding="utf-8",
    )
    code, error = fail(monkeypatch, capsys, "nightly")
    assert code == 1
    (sentence,) = error.splitlines()
    assert f"{name}.yml" in sentence
    ((alert,),) = (sent["alerts"] for sent in alerted.messages)
    assert alert["alert_class"] == "run_failed"
    told = sentence.removeprefix("Error: ")
    assert alert["message"].startswith(told)
    (folder / "sluice.yml").write_text('properties: [{id: "42"}]\n', encoding="utf-8")
    first = run("status").stdout.splitlines()[0]
    assert first.startswith(f"Failed: {told}")
    assert "run 'sluice nightly' again." in first
