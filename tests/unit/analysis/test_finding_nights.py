"""Findings night after night: one shop, made by hand, and what earlier nights published.

60 sessions a day come to the checkout on phones and 40 on computers, half of each by Email and by
Paid Search. 60 % of them buy, and from day 62 on 10 % of those on phones, until a day that the test
chooses.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipelines.analysis.findings.finding_table import SCHEMA, Frames, find_findings
from pipelines.analysis.findings.scope_worth import WORTHS
from pipelines.analysis.stats.leak_table import GRAIN, score_leaks

pytestmark = pytest.mark.slow

FIRST = date(2026, 1, 1)
FALL = 62
SESSIONS = {"mobile": 30, "desktop": 20}
CHANNELS = ("Email", "Paid Search")
LEAST_P = 0.8
MEMORY = ["property_id", "window_end", "finding_id", "step_key", "scope", "first_seen",
          "healed_date"]  # fmt: skip


@dataclass
class Shop:
    """`falls`: (first day, share that buys from then on, on phones). Everything by day number."""

    falls: tuple[tuple[int, float], ...]
    has_cells: bool = True
    elsewhere: float = 0.6
    memory: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=MEMORY))

    def bought(self, device: str, day: int) -> float:
        rate = self.elsewhere
        for first, share in self.falls:
            if device == "mobile" and day >= first:
                rate = share
        return rate * SESSIONS[device]

    def cells(self, last: int) -> pd.DataFrame:
        rows = [
            (FIRST + timedelta(day), device, channel, key, count)
            for day in range(last + 1)
            for device, sessions in SESSIONS.items()
            for channel in CHANNELS
            for key, count in (("checkout", sessions), ("order", self.bought(device, day)))
        ]
        frame = pd.DataFrame(rows, columns=["date", "device", "channel", "step_key", "sessions"])
        return frame.assign(
            property_id="1", date=pd.to_datetime(frame["date"]), visitor="new", country="(all)",
            cube="device_channel_visitor",
        )  # fmt: skip

    def night(self, last: int) -> list[dict[str, Any]]:
        """What the night tells whose newest day is `last`, and keeps in memory."""
        cells = self.cells(last)
        parts = [("all", cells.assign(value="all")), *(
            (name, cells.assign(value=cells[name])) for name in ("device", "channel")
        )]  # fmt: skip
        segments = pd.concat(
            rows.groupby(["property_id", "date", "value", "step_key"], as_index=False)["sessions"]
            .sum()
            .assign(segment_name=name)
            for name, rows in parts
        ).rename(columns={"value": "segment_value"})
        steps = self._steps(segments, last)
        joint = cells if self.has_cells else cells.iloc[:0]
        found = find_findings(Frames(steps, joint, segments, self.memory), LEAST_P).to_pylist()
        end = FIRST + timedelta(last)
        told = pd.DataFrame([{name: row[name] for name in MEMORY} for row in found], columns=MEMORY)
        older = self.memory[self.memory["window_end"] != end]
        self.memory = pd.concat([older, told]) if len(older) else told
        return found

    @staticmethod
    def _steps(segments: pd.DataFrame, last: int) -> pd.DataFrame:
        start = pd.Timestamp(FIRST + timedelta(last - 27))
        window = segments[segments["date"] >= start]
        counts = window.pivot_table(
            index=["property_id", "segment_name", "segment_value"], columns="step_key",
            values="sessions", aggfunc="sum",
        ).reset_index()  # fmt: skip
        steps = counts.rename(columns={"order": "numerator", "checkout": "denominator"}).assign(
            window_name="28d", window_start=start.date(), window_end=FIRST + timedelta(last),
            step_number=1, step_key="order", previous_step_key="checkout", benchmark=0.5,
            n_eff=lambda rows: rows["denominator"], end_value=50.0,
            downstream_rate=1.0,
        )  # fmt: skip
        return steps.merge(score_leaks(steps)[[*GRAIN, *WORTHS]], on=GRAIN)


def day(number: int) -> date:
    return FIRST + timedelta(number)


def test_one_cause_is_one_finding_with_its_part_and_day() -> None:
    (found,) = Shop(((FALL, 0.1),)).night(81)
    assert found["scope"] == '[{"segment_name": "device", "segment_value": "mobile"}]'
    assert found["scope_label"] == "mobile"
    assert (found["state"], found["first_seen"]) == ("new", day(81))
    assert found["since_date"] == found["since_earliest"] == found["since_latest"] == day(FALL)
    # 28 days: 8 with 36 of 60, 20 with 6 of 60; elsewhere 24 of 40.
    assert (found["numerator"], found["denominator"]) == (8 * 36 + 20 * 6, 28 * 60)
    assert (found["outside_numerator"], found["outside_denominator"]) == (28 * 24, 28 * 40)
    assert (found["before_numerator"], found["before_denominator"]) == (62 * 36, 62 * 60)
    assert (found["since_numerator"], found["since_denominator"]) == (20 * 6, 20 * 60)
    assert (found["now_numerator"], found["now_denominator"]) == (7 * 6, 7 * 60)
    # 24 orders a day are missing to 30 of 60, at 50 each: 20 days so far, 28 at this pace.
    assert found["worth_since"] == pytest.approx(20 * 24 * 50)
    assert found["opportunity_pace"] == pytest.approx(28 * 24 * 50)
    assert found["explained_share"] == pytest.approx(1.0)
    assert found["is_joint"]


def test_a_fault_of_a_week_is_told_before_four_weeks_show_it() -> None:
    """25 % for six days leave 52 % in 28 days, above the floor; the last seven days have 30 %."""
    shop = Shop(((FALL, 0.25),))
    assert shop.night(FALL) == []
    (found,) = shop.night(FALL + 5)
    assert (found["scope_label"], found["state"], found["since_date"]) == (
        "mobile", "new", day(FALL),
    )  # fmt: skip
    assert (found["numerator"], found["denominator"]) == (22 * 36 + 6 * 15, 28 * 60)
    assert found["worth_since"] == pytest.approx(6 * 15 * 50)
    later = [shop.night(last) for last in range(FALL + 6, FALL + 20)]
    assert {row["finding_id"] for (row,) in later} == {found["finding_id"]}
    assert {row["state"] for (row,) in later} == {"ongoing"}


def test_a_healthy_shop_has_none() -> None:
    assert Shop(()).night(81) == []


def test_the_whole_shop_where_everything_leaks() -> None:
    (found,) = Shop(((0, 0.3),), elsewhere=0.3).night(81)
    assert (found["scope"], found["scope_label"]) == ("[]", "the whole shop")
    assert found["since_date"] is None
    assert found["outside_denominator"] is None
    assert found["worth_since"] is None


def test_without_cells_one_dimension_is_looked_at() -> None:
    (found,) = Shop(((FALL, 0.1),), has_cells=False).night(81)
    assert found["scope_label"] == "mobile"
    assert found["since_date"] == day(FALL)
    assert not found["is_joint"]


def test_cells_of_a_few_days_are_not_looked_at() -> None:
    shop = Shop(((FALL, 0.1),))
    whole = shop.cells(81)
    shop.cells = lambda last: whole[whole["date"] > pd.Timestamp(day(75))]  # type: ignore[method-assign]
    frames = shop._steps(_segments_of(whole), 81)
    found = find_findings(
        Frames(frames, shop.cells(81), _segments_of(whole), shop.memory), LEAST_P
    ).to_pylist()
    assert [row["is_joint"] for row in found] == [False]
    assert found[0]["since_date"] == day(FALL)


def _segments_of(cells: pd.DataFrame) -> pd.DataFrame:
    parts = [("all", cells.assign(value="all")), ("device", cells.assign(value=cells["device"]))]
    return pd.concat(
        rows.groupby(["property_id", "date", "value", "step_key"], as_index=False)["sessions"]
        .sum()
        .assign(segment_name=name)
        for name, rows in parts
    ).rename(columns={"value": "segment_value"})


def test_its_life_from_new_to_healed_and_gone() -> None:
    """It heals on day 80, and keeps its name all the way; it never comes back as another."""
    shop = Shop(((FALL, 0.1), (80, 0.6)))
    states: dict[str, list[int]] = {}
    names = set()
    for last in range(FALL + 4, 125):
        for row in shop.night(last):
            states.setdefault(row["state"], []).append(last)
            names.add(row["finding_id"])
            assert row["since_date"] == day(FALL)
    assert len(names) == 1
    assert list(states) == ["new", "ongoing", "healed"]
    assert len(states["new"]) == 1
    first_healed, last_healed = states["healed"][0], states["healed"][-1]
    # Three days of it are a change.
    assert 80 <= first_healed <= 82
    assert last_healed == 80 + 28
    assert states["healed"] == list(range(first_healed, last_healed + 1))


def test_half_a_recovery_is_an_improvement() -> None:
    shop = Shop(((FALL, 0.1), (80, 0.35)))
    shop.night(79)
    (found,) = shop.night(90)
    assert (found["state"], found["recovered_date"]) == ("improving", day(80))
    assert (found["now_numerator"], found["now_denominator"]) == (7 * 21, 7 * 60)
    assert found["healed_date"] is None


def test_what_falls_again_is_worse_and_later_ongoing() -> None:
    shop = Shop(((FALL, 0.3), (85, 0.05)))
    (first,) = shop.night(75)
    (again,) = shop.night(89)
    (later,) = shop.night(100)
    assert first["finding_id"] == again["finding_id"] == later["finding_id"]
    assert (first["state"], again["state"], later["state"]) == ("new", "worse", "ongoing")


def test_the_same_night_twice_tells_the_same() -> None:
    shop = Shop(((FALL, 0.1),))
    shop.night(75)
    assert shop.night(80) == shop.night(80)
    assert shop.night(75)[0]["state"] == "new"


def test_what_is_worth_nobody_knows_what_is_null() -> None:
    """Orders are not counted: the finding stands, without any worth. NaN would come first."""
    shop = Shop(((FALL, 0.1),))
    cells = shop.cells(81)
    segments = _segments_of(cells)
    steps = shop._steps(segments, 81).assign(end_value=np.nan)
    worths = ["opportunity_p05", "opportunity_p50", "opportunity_p95"]
    frames = Frames(steps.assign(**dict.fromkeys(worths, np.nan)), cells, segments, shop.memory)
    (found,) = find_findings(frames, LEAST_P).to_pylist()
    assert {found[name] for name in (*worths, "worth_since", "opportunity_pace")} == {None}
    assert found["scope_label"] == "mobile"


def test_a_part_that_is_no_more_is_told_no_more() -> None:
    """A channel of which nobody comes any longer is neither ongoing nor healed."""
    shop = Shop(((FALL, 0.1),))
    shop.night(75)
    shop.memory = shop.memory.assign(
        scope='[{"segment_name": "channel", "segment_value": "Closed"}]', finding_id="closed"
    )
    assert [row["scope_label"] for row in shop.night(76)] == ["mobile"]


def test_parts_without_the_whole_have_no_finding() -> None:
    shop = Shop(((FALL, 0.1),))
    cells = shop.cells(81)
    segments = _segments_of(cells)
    steps = shop._steps(segments, 81)
    parts = segments[segments["segment_name"] != "all"]
    for wanted, told in ((steps, parts), (steps[steps["segment_name"] != "all"], segments)):
        found = find_findings(Frames(wanted, cells, told, shop.memory), LEAST_P)
        assert found.num_rows == 0


def test_nothing_to_look_at() -> None:
    empty = Shop(())._steps(_segments_of(Shop(()).cells(81)), 81).iloc[:0]
    cells = Shop(()).cells(1).iloc[:0]
    segments = _segments_of(Shop(()).cells(1)).iloc[:0]
    found = find_findings(Frames(empty, cells, segments, pd.DataFrame(columns=MEMORY)), LEAST_P)
    assert found.schema == SCHEMA
    assert found.num_rows == 0


def test_odd_numbers_break_nothing() -> None:
    """More orders than checkouts, unknown days, nobody."""
    shop = Shop(((FALL, 0.1),))
    cells = shop.cells(81)
    rng = np.random.default_rng(1)
    cells["sessions"] = rng.integers(0, 40, len(cells)).astype(float)
    cells.loc[rng.random(len(cells)) < 0.2, "sessions"] = np.nan
    segments = _segments_of(cells)
    found = find_findings(
        Frames(shop._steps(segments, 81), cells, segments, shop.memory), LEAST_P
    ).to_pylist()
    for row in found:
        assert row["denominator"] >= 0
