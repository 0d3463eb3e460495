"""A night that is killed in the middle, and the next one: as if nothing had happened."""

import subprocess
import sys
from pathlib import Path

from pipelines.config.settings import Nightly, Settings
from pipelines.ingest.run_window import plan_window
from tests.e2e.shop import Shop, all_marts, night

# A real night that dies like under `kill -9`, right before it stores its n-th report.
DYING_NIGHT = """
import os, sys
from datetime import date
from pathlib import Path
import pipelines.ingest.ingest_run as ingest
from pipelines.orchestration.nightly_run import run_nightly
from pipelines.ingest.day_window import DayWindow
from pipelines.config.settings import Ga4, Property, Settings, Store
endpoint, home, start, end, reports = sys.argv[1:]
real, left = ingest.replace_partitions, [int(reports)]
def dying(*args, **options):
    if not left[0]:
        os._exit(137)
    left[0] -= 1
    return real(*args, **options)
ingest.replace_partitions = dying
settings = Settings(
    home=Path(home), store=Store(name="Test shop"), ga4=Ga4(endpoint=endpoint),
    properties=(Property(id="100000001", name="Test shop", time_zone="Europe/Berlin"),),
)
run_nightly(settings, DayWindow(date.fromisoformat(start), date.fromisoformat(end)), command="test")
"""


def test_a_killed_night_is_made_good_by_the_next(
    shop: Shop, published_home: Settings, tmp_path: Path
) -> None:
    days = (shop.window.end - shop.window.start).days + 1
    settings = shop.settings(tmp_path / "home").model_copy(
        update={"nightly": Nightly(sweep_days=days)}
    )
    arguments = [shop.endpoint, settings.home, shop.window.start, shop.window.end, 9]
    killed = subprocess.run(
        [sys.executable, "-c", DYING_NIGHT, *map(str, arguments)], capture_output=True, check=False
    )
    assert killed.returncode == 137, killed.stderr
    assert not settings.published_dir.exists()
    window = plan_window(settings, shop.window.end)
    assert window == shop.window
    record, _ = night(settings, window)
    assert record.status == "published", record.message
    assert all_marts(settings) == all_marts(published_home)
