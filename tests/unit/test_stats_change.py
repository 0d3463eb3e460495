"""What a change consists of: the worked figures of ANALYTICS section 5 and 6.3."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.stats.change import Segments, rate_and_mix, stage_contributions

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
    assert found.total_mix == found.change == pytest.approx([-0.02])
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
