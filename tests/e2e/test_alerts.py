"""A night that a gate held back, and the next one that published, as a webhook hears of them."""

import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

import pipelines.assets.ga4 as ga4_assets
from pipelines.partitions import DayWindow
from pipelines.settings import Alerts, Settings
from tests.e2e.shop import PROPERTY, Shop, night
from tests.unit.webhook_server import webhook


def test_a_gate_failure_that_found_the_webhook_silent_is_told_the_next_night(
    shop: Shop, published_home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(published_home.home, tmp_path / "home", symlinks=True)
    window = DayWindow(shop.window.end, shop.window.end)
    real = ga4_assets.ingest

    def then_lose_a_report(settings: Settings, *args: Any, **options: Any) -> Any:
        outcome = real(settings, *args, **options)
        with duckdb.connect(str(settings.build_db)) as connection:
            connection.execute("delete from raw.ga4_events_by_device where date = ?", [window.end])
        return outcome

    with webhook() as server:
        settings = published_home.model_copy(
            update={"home": tmp_path / "home", "alerts": Alerts(webhook=server.address)}
        )
        monkeypatch.setattr(ga4_assets, "ingest", then_lose_a_report)
        # No try again here: its waits are tested without a night.
        server.answers = [404]
        record, _ = night(settings, window)
        assert (record.status, server.asked, server.messages) == ("held_back", 1, [])

        monkeypatch.setattr(ga4_assets, "ingest", real)
        record, _ = night(settings, window)
        assert record.status == "published", record.message
        (message,) = server.messages
    assert (message["status"], message["night"]) == ("published", str(window.end))
    first = message["alerts"][0]
    assert (first["alert_class"], first["night"]) == ("gate_failed", str(window.end))
    assert first["message"].startswith("The raw gate held the night back. raw.ga4_events_by_device")
    assert PROPERTY in first["message"]
