"""GA4 answers a day of two reports with next to nothing: the night publishes, and tells.

A real night over the emulator, whose newest day loses rows right after it was pulled.
"""

import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.config.settings import Alerts, Settings
from pipelines.ingest.day_window import DayWindow
from pipelines.orchestration.assets import raw_assets
from pipelines.publishing.versions import PAGE
from tests.e2e.shop import Shop, night, published
from tests.support.webhook_server import WebhookServer

NEWEST = "date = (select max(date) from raw.ga4_sessions_by_all)"
# By device a single small row is left, by channel none.
LOST = (
    f"delete from raw.ga4_sessions_by_device where {NEWEST} and device_category <> 'desktop'",
    f"update raw.ga4_sessions_by_device set sessions = 1, engaged_sessions = 0 where {NEWEST}",
    f"delete from raw.ga4_sessions_by_channel where {NEWEST}",
    *(
        f"update ops.pulls set row_count = {left} where report = '{report}' and {NEWEST}"
        for report, left in (("sessions_by_device", 1), ("sessions_by_channel", 0))
    ),
)
REPORTS = ["sessions_by_channel", "sessions_by_device"]


@pytest.fixture
def home(published_home: Settings, tmp_path: Path, alerted: WebhookServer) -> Settings:
    """A copy of the published home, links kept, with a webhook."""
    shutil.copytree(published_home.home, tmp_path / "home", symlinks=True)
    alerts = Alerts(webhook=alerted.address)
    return published_home.model_copy(update={"home": tmp_path / "home", "alerts": alerts})


def query(settings: Settings, text: str) -> list[tuple]:
    with published(settings) as connection:
        return connection.execute(text).fetchall()


def flags(settings: Settings, shop: Shop) -> set[tuple]:
    """What is said of the newest day's and the 7 days' numbers, by segment."""
    said = "select segment_name, is_complete, flags from marts"
    only = "segment_name in ('all', 'device', 'channel')"
    return set(
        query(
            settings,
            f"{said}.fct_funnel_daily where date = date '{shop.window.end}' and {only} union "
            f"{said}.fct_funnel_window where window_name = '7d' and {only}",
        )
    )


def page(settings: Settings) -> str:
    return (settings.published_dir / "current" / PAGE).read_text(encoding="utf-8")


def test_a_day_with_next_to_nothing_is_published_and_told(
    shop: Shop, home: Settings, alerted: WebhookServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = {(name, True, None) for name in ("all", "device", "channel")}
    assert query(home, "from ops.day_warnings") == []
    # What a realistic server estimates, rounds and lets grow lacks no row.
    assert query(home, "select report, missing_share from ops.pulls where missing_share > 0") == []
    assert flags(home, shop) == whole
    real = raw_assets.ingest

    def then_lose(settings: Settings, *args: Any, **options: Any) -> Any:
        outcome = real(settings, *args, **options)
        with duckdb.connect(str(settings.build_db)) as connection:
            for statement in LOST:
                connection.execute(statement)
        return outcome

    window = DayWindow(shop.window.end, shop.window.end)
    with monkeypatch.context() as patched:
        patched.setattr(raw_assets, "ingest", then_lose)
        record, _ = night(home, window)
    assert record.status == "published", record.message
    assert flags(home, shop) == {
        ("all", True, None), ("device", False, "missing_rows"), ("channel", False, "missing_rows"),
    }  # fmt: skip
    alerts = [one for one in alerted.messages[0]["alerts"] if one["report"]]
    assert [(one["alert_class"], one["report"], one["date"]) for one in alerts] == [
        ("data_quality", report, str(shop.window.end)) for report in REPORTS
    ]
    assert "Days that are not whole" in page(home)
    assert "parts_add_up_to_total" in page(home)
    # The next night finds the day whole.
    record, _ = night(home, window)
    assert record.status == "published", record.message
    assert query(home, "from ops.day_warnings") == []
    assert flags(home, shop) == whole
    assert "Days that are not whole" not in page(home)
