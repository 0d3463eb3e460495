"""Whatever stands in a file of outcomes: it is analysed, or refused in one sentence."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.analysis.experiments.analysis import ExperimentPlan, analyse
from pipelines.analysis.experiments.analysis_json import as_dict
from pipelines.analysis.experiments.experiment_table import scored_properties
from pipelines.analysis.experiments.stored import as_rows
from pipelines.errors import SluiceError
from pipelines.experiments.reading import read_outcomes
from tests.unit.config.test_fuzzed_files import TEXTS, fuzzed

pytestmark = pytest.mark.slow

HEADINGS = st.sampled_from(
    ["variant,exposed,converted", "variant;exposed;converted;macro_converted;revenue",
     "date\tvariant\texposed\tconverted", "variant,user,numerator,denominator"]
)  # fmt: skip
CELLS = st.sampled_from(
    ["a", "b", "control", "0", "1", "7", "50", "100", "2020-03-01", "2020-03-02"]
)


@st.composite
def files(draw: st.DrawFn) -> str:
    heading = draw(HEADINGS)
    separator = next(one for one in ",;\t" if one in heading)
    cells = len(heading.split(separator))
    row = st.lists(CELLS | CELLS | CELLS | TEXTS, min_size=cells, max_size=cells)
    rows = draw(st.lists(row | st.lists(TEXTS, max_size=6), max_size=6))
    return "\n".join([draw(st.just(heading) | TEXTS), *(separator.join(one) for one in rows)])


@st.composite
def plausible(draw: st.DrawFn) -> str:
    """Counts that fit: the analysis itself sees odd numbers."""
    rows = []
    for variant in draw(st.sampled_from([("a", "b"), ("x", "control", "y")])):
        for day in range(1, draw(st.integers(1, 3)) + 1):
            exposed = draw(st.integers(0, 3) | st.integers(0, 10**9))
            counts = [draw(st.integers(0, exposed)) for _ in range(2)]
            rows.append(f"2020-03-{day:02},{variant},{exposed},{counts[0]},{counts[1]}")
    return "\n".join(["date,variant,exposed,converted,macro_converted", *rows])


@fuzzed(20)
@given(text=files() | plausible(), effect=st.none() | st.floats(1e-9, 2))
def test_any_file(text: str, effect: float | None, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    try:
        outcomes = read_outcomes(path, date(2026, 1, 1))
        found = analyse(outcomes, ExperimentPlan(smallest_effect=effect))
    except SluiceError as error:
        assert "\n" not in str(error)
        return
    json.dumps(as_dict(found), default=str, allow_nan=False)
    assert found.decision.reason.endswith(".")
    # A night makes rows of it, whose numbers fit their types.
    outcomes_by_day = as_rows(outcomes).assign(property_id="1", change_id="x")
    experiment = {
        "property_id": "1", "change_id": "x", "kind": "experiment", "problem": None,
        "state": "running", "naive_variance": False, "users_left_out": 0, "overlaps_with": [],
        "smallest_effect": effect,
        "variants": json.dumps(dict.fromkeys(outcomes.variants, 1 / len(outcomes.variants))),
    }  # fmt: skip
    scored = scored_properties(pd.DataFrame([experiment]), outcomes_by_day, {"1": None})
    assert len(scored["comparisons"][0]) == len(outcomes.variants) - 1
