"""`sluice demo` before it begins: which days it takes."""

from datetime import date
from pathlib import Path

import pytest

from pipelines.analysis.experiments.register import Exposure
from pipelines.config.register import read_register
from pipelines.config.settings import Property, Settings
from pipelines.config.tracking_plan import load_plan
from pipelines.demo_register import demo_register
from pipelines.ingest.day_window import DayWindow
from tests.support.reading import fail


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--end", "2999-01-01"], ["2999-01-01 is not over yet in Europe/Berlin", "use --end "]),
        (["--end", "2020-10-20", "--days", "8"], ["before GA4's, 2020-10-14", "--days 7 at most"]),
        (["--end", "2020-10-13", "--days", "1"], ["before GA4's", "use a later --end."]),
        # From 14 October 2020 to 30 June 2026.
        (["--days", "2087"], ["--days 2086 at most"]),
    ],
)
def test_days_that_cannot_be_simulated_are_named(home, monkeypatch, capsys, arguments, words):
    code, said = fail(monkeypatch, capsys, "demo", *arguments)
    assert code == 1
    for word in words:
        assert word in said
    assert "Traceback" not in said
    assert not home.exists()


@pytest.mark.parametrize(
    ("start", "ids"),
    [
        (date(2026, 4, 2), ["short_form", "welcome", "instagram_links"]),
        (date(2026, 5, 22), ["welcome", "instagram_links"]),
        (date(2026, 6, 20), []),
    ],
)
def test_what_is_registered_is_planted_and_touches_nothing_else(
    start: date, ids: list[str], tmp_path: Path
) -> None:
    """Of so many days as the demo has."""
    planted = demo_register(DayWindow(start, date(2026, 6, 30)), Path("events"))
    settings = Settings(
        home=tmp_path, properties=(Property(id="1"),), **planted.write(tmp_path / "demo")
    )
    register = read_register(settings, load_plan(), date(2026, 7, 1))
    assert [one.id for one in register.entries] == ids
    assert not any(register.meetings.values())
    for one, (entry, trial) in zip(planted.experiments, register.experiments, strict=True):
        assert (entry.id, entry.start, entry.end) == (one.name, one.first, one.last)
        assert trial.variants == {arm.name: arm.share for arm in one.arms}
        assert trial.primary_metric == one.step_key
        assert trial.exposure is None
        assert trial.outcomes == tmp_path / "demo" / "events" / f"outcomes_{one.name}.csv"
    changes = [one.start for one in register.entries if one.trial is None]
    # The leak's last day is the one before the change.
    assert [one.last.toordinal() + 1 for one in planted.leaks if one.last] == [
        one.toordinal() for one in changes
    ]


def test_the_export_tells_what_the_experiments_did(tmp_path: Path) -> None:
    planted = demo_register(DayWindow(date(2026, 4, 2), date(2026, 6, 30)), None)
    settings = Settings(
        home=tmp_path, properties=(Property(id="1"),), **planted.write(tmp_path / "demo")
    )
    register = read_register(settings, load_plan(), date(2026, 7, 1))
    assert [trial.exposure for _, trial in register.experiments] == [Exposure()] * 2
