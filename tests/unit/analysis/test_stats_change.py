"""What a change consists of: the worked figures of docs/analytics.md, "Reference figures"."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.analysis.stats import change_table
from pipelines.analysis.stats.change import Segments, rate_and_mix, stage_contributions

NAN = float("nan")


def window(*cells: tuple[float, float]) -> Segments:
    """A stage's segments from their rates and trials."""
    rate, trials = np.array(cells, dtype=float).T
    return Segments((rate * trials)[None], trials[None])


def test_lmdi_reference_case_13() -> None:
    found = stage_contributions(
        np.array([[10_000, 0.06, 0.55, 0.60, 60]]), np.array([[11_000, 0.05, 0.55, 0.62, 62]])
    )
    expected = [1120.2377, -2142.9347, 0, 385.3985, 385.3985]
    assert found[0] == pytest.approx(expected, abs=5e-5)


def test_a_missing_factor_changes_nothing() -> None:
    # 100 x .5 x 10 = 500 to 200 x .5 x 10 = 1000, with a step that the shop has not.
    found = stage_contributions(np.array([[100, NAN, 0.5, 10]]), np.array([[200, NAN, 0.5, 10]]))
    assert found[0] == pytest.approx([500, 0, 0, 0])


def test_rate_and_mix_of_the_check() -> None:
    # Both segments convert better while the shop falls from 6.00 to 5.22 %.
    found = rate_and_mix(window((0.09, 4000), (0.04, 6000)), window((0.093, 2000), (0.042, 8000)))
    assert found.total_rate == pytest.approx([0.0023])
    assert found.total_mix == pytest.approx([-0.0101])
    assert found.change == pytest.approx([-0.0078])
    assert found.is_simpson.tolist() == [True]
    assert found.is_mix_driven.tolist() == [True]


def test_a_plain_fall_has_no_flags() -> None:
    found = rate_and_mix(window((0.09, 4000), (0.04, 6000)), window((0.08, 4000), (0.03, 6000)))
    assert found.total_rate == pytest.approx([-0.01])
    assert found.total_mix == pytest.approx([0], abs=1e-15)
    assert not found.is_simpson[0]
    assert not found.is_mix_driven[0]


def test_a_new_segment_is_mix() -> None:
    before = Segments(np.array([[50.0, NAN]]), np.array([[1000.0, NAN]]))
    after = Segments(np.array([[50.0, 10.0]]), np.array([[1000.0, 1000.0]]))
    found = rate_and_mix(before, after)
    assert found.total_rate == pytest.approx([0])
    assert found.total_mix == pytest.approx([-0.02])
    assert found.change == pytest.approx([-0.02])
    assert not found.is_simpson[0]


cells = st.lists(
    st.tuples(*[st.integers(0, 9000), st.floats(0, 1), st.integers(0, 9000), st.floats(0, 1)]),
    min_size=1,
    max_size=6,
)


@given(cells)
def test_rate_and_mix_add_up_to_the_change(
    rows: list[tuple[int, float, int, float]],
) -> None:
    before = window(*[(rate, trials) for trials, rate, _, _ in rows])
    after = window(*[(rate, trials) for _, _, trials, rate in rows])
    found = rate_and_mix(before, after)
    if before.trials.sum() and after.trials.sum():
        total = after.successes.sum() / after.trials.sum()
        was = before.successes.sum() / before.trials.sum()
        assert found.change[0] == pytest.approx(total - was, abs=1e-12)
        assert found.total_rate + found.total_mix == pytest.approx(found.change, abs=1e-12)
    else:
        assert np.isnan(found.change[0])
        assert not found.is_simpson[0]


def keyed(rows: list[tuple[object, ...]], columns: list[str]) -> pd.DataFrame:
    """Rows of one property and window, shuffled."""
    frame = pd.DataFrame(rows, columns=columns).assign(property_id="1", window_name="28d")
    return frame.sample(frac=1, random_state=3)


def test_score_stages_of_a_long_frame() -> None:
    # Case 13 beside a cell without the second and third factor.
    case = [(10_000, 11_000), (0.06, 0.05), (0.55, 0.55), (0.60, 0.62), (60, 62)]
    rows = [("all", "all", number, *pair) for number, pair in enumerate(case)]
    rows += [("device", "mobile", 0, 100, 200), ("device", "mobile", 4, 10, 10)]
    columns = ["segment_name", "segment_value", "factor_number", "prior_factor", "factor"]
    scored = change_table.score_stages(keyed(rows, columns)).sort_index()
    expected = [1120.2377, -2142.9347, 0, 385.3985, 385.3985, 1000, 0]
    assert scored["contribution"].tolist() == pytest.approx(expected, abs=5e-5)


def test_score_segments_of_a_long_frame() -> None:
    rows = [
        ("device", 2, "desktop", 360, 4000, 186, 2000),
        ("device", 2, "mobile", 240, 6000, 336, 8000),
        ("channel", 2, "email", 600, 10_000, 522, 10_000),
    ]
    columns = ["segment_name", "step_number", "segment_value", "prior_numerator"]
    columns += ["prior_denominator", "numerator", "denominator"]
    scored = change_table.score_segments(keyed(rows, columns)).sort_index()
    assert scored["rate_effect"].tolist() == pytest.approx([0.0009, 0.0014, -0.0078])
    assert scored["mix_effect"].tolist() == pytest.approx([-0.00708, -0.00302, 0])
    assert scored["total_mix_effect"].tolist() == pytest.approx([-0.0101, -0.0101, 0])
    assert scored["change"].tolist() == pytest.approx([-0.0078] * 3)
    assert scored["is_simpson"].tolist() == [True, True, False]
    assert scored["is_mix_driven"].tolist() == [True, True, False]


def test_no_rows_no_changes() -> None:
    columns = ["segment_name", "step_number", "segment_value", "factor_number", "factor"]
    columns += ["prior_factor", "numerator", "denominator"]
    none = keyed([], [*columns, "prior_numerator", "prior_denominator"])
    assert change_table.score_segments(none).empty
    assert change_table.score_stages(none).empty
