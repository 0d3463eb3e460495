"""A night on tiny data with all gates: dbt in our process against one dbt subprocess a layer.

Each night is a process of its own, as cron would start it: imports count.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.e2e.shop import Shop, open_shop
from tests.perf.compare import Comparison, compare

NIGHT = """
import sys
from datetime import date
from pathlib import Path
from pipelines.orchestration.resources import build_dbt
from pipelines.orchestration.nightly_run import run_nightly
from pipelines.ingest.day_window import DayWindow
from pipelines.config.settings import Ga4, Property, Settings
endpoint, home, start, end, in_process = sys.argv[1:]
settings = Settings(
    home=Path(home), ga4=Ga4(endpoint=endpoint),
    properties=(Property(id="100000001", time_zone="Europe/Berlin"),),
)
dbt = build_dbt(settings, in_process=in_process == "yes")
window = DayWindow(date.fromisoformat(start), date.fromisoformat(end))
record = run_nightly(settings, window, command="bench", resources={"dbt": dbt})
assert record.status == "published", record.message
"""


def _night(shop: Shop, home: Path, in_process: str) -> None:
    window = [str(shop.window.start), str(shop.window.end)]
    subprocess.run(
        [sys.executable, "-c", NIGHT, shop.endpoint, str(home), *window, in_process],
        check=True,
        capture_output=True,
    )


def in_process_against_subprocess() -> Comparison:
    with (
        tempfile.TemporaryDirectory() as folder,
        open_shop(Path(folder) / "events", days=4, sessions=60) as shop,
    ):
        home = Path(folder) / "home"
        _night(shop, home, "yes")
        return compare(
            "nightly, dbt in process against a dbt subprocess a layer",
            lambda: _night(shop, home, "yes"),
            lambda: _night(shop, home, "no"),
            rounds=3,
            target="at most 0.5x",
        )
